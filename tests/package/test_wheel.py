"""porter.package.wheel: the same contents make the same bytes, and RECORD is right."""

from __future__ import annotations

import base64
import csv
import hashlib
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from porter.errors import PorterError
from porter.package.wheel import DESCRIPTION, write_wheel

INFO = "kv-1+hpu.1.dist-info"
FILES = {
    f"{INFO}/METADATA": b"Metadata-Version: 2.1\nName: kv\nVersion: 1+hpu.1\n",
    f"{INFO}/WHEEL": DESCRIPTION.encode(),
    "kv/z.py": b"Z = 1\n",
    "kv/a, b.txt": b"a name with a comma\n",
    "kv/run.sh": b"#!/bin/sh\n",
}


def build(folder: Path, files: dict[str, bytes], name: str = "kv-1+hpu.1-py3-none-any.whl") -> Path:
    write_wheel(folder / name, files, INFO, {"kv/run.sh"})
    return folder / name


def test_order_and_time_leave_no_trace(tmp_path: Path) -> None:
    first = build(tmp_path, FILES).read_bytes()
    second = build(tmp_path, dict(reversed(FILES.items())), "again.whl").read_bytes()
    assert first == second


def test_record_lists_every_file_with_its_hash(tmp_path: Path) -> None:
    with ZipFile(build(tmp_path, FILES)) as wheel:
        rows = list(csv.reader(wheel.read(f"{INFO}/RECORD").decode().splitlines()))
        assert {row[0] for row in rows} == set(wheel.namelist()) == {*FILES, f"{INFO}/RECORD"}
        for name, digest, size in rows:
            if name == f"{INFO}/RECORD":
                assert (digest, size) == ("", "")
                continue
            data = wheel.read(name)
            expected = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode()
            assert digest == f"sha256={expected.rstrip('=')}"
            assert int(size) == len(data)


def test_the_metadata_comes_last_and_modes_are_fixed(tmp_path: Path) -> None:
    with ZipFile(build(tmp_path, FILES)) as wheel:
        entries = wheel.infolist()
    names = [entry.filename for entry in entries]
    assert names[-3:] == [f"{INFO}/METADATA", f"{INFO}/WHEEL", f"{INFO}/RECORD"]
    modes = {entry.filename: entry.external_attr >> 16 for entry in entries}
    assert modes.pop("kv/run.sh") == 0o100755
    assert set(modes.values()) == {0o100644}
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize(
    ("epoch", "time"),
    [("1000000000", (2001, 9, 9, 1, 46, 40)), ("0", (1980, 1, 1, 0, 0, 0))],
)
def test_source_date_epoch_is_honoured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, epoch: str, time: tuple[int, ...]
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    with ZipFile(build(tmp_path, FILES)) as wheel:
        assert {entry.date_time for entry in wheel.infolist()} == {time}


@pytest.mark.parametrize("epoch", ["", "yesterday", "9" * 30])
def test_a_wrong_source_date_epoch_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, epoch: str
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    with pytest.raises(PorterError, match="SOURCE_DATE_EPOCH"):
        build(tmp_path, FILES)
    assert not list(tmp_path.iterdir())


def test_pip_installs_it(tmp_path: Path) -> None:
    wheel = build(tmp_path, FILES)
    target = tmp_path / "site"
    options = ["--no-deps", "--no-index", "--quiet", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", target, wheel]
    subprocess.run(command, check=True)
    assert (target / "kv" / "z.py").read_bytes() == b"Z = 1\n"
    assert (target / INFO / "METADATA").is_file()


@given(st.dictionaries(st.from_regex(r"kv/[a-z]{1,8}", fullmatch=True), st.binary()))
def test_contents_come_back(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    with ZipFile(build(tmp_path_factory.mktemp("wheel"), files)) as wheel:
        assert {name: wheel.read(name) for name in files} == files
