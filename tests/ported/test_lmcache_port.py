"""Real releases of LMCache: an sdist, the flagship, and the newest."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
from click.testing import CliRunner
from packaging.metadata import Metadata

from porter.cli import main
from porter.package.release import Release
from porter.sources.elf import is_elf
from porter.sources.resolve import open_source

pytestmark = pytest.mark.network

ONLY_CUDA = ("cufile-python", "cupy-cuda12x", "cupy-cuda13x", "cuda-python", "nixl", "nixl-cu13")


def port(version: str, folder: Path, level: str = "static") -> Path:
    command = ["port", f"lmcache=={version}", "-o", str(folder), "--level", level]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    return folder / f"lmcache-{version}+hpu.1-py3-none-any.whl"


@pytest.mark.parametrize("version", ["0.3.0", "0.3.9.post2", "0.5.6"])
def test_a_release_becomes_a_wheel(version: str, tmp_path: Path) -> None:
    wheel = port(version, tmp_path)
    site = tmp_path / "site"
    options = [
        "--no-deps",
        "--ignore-requires-python",
        "--no-index",
        "--quiet",
        "--disable-pip-version-check",
    ]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", site, wheel]
    subprocess.run(command, check=True)
    assert not [path for path in site.rglob("*") if path.is_file() and is_elf(path)]

    info = site / f"lmcache-{version}+hpu.1.dist-info"
    metadata = Metadata.from_email((info / "METADATA").read_bytes(), validate=False)
    assert str(metadata.version) == f"{version}+hpu.1"
    requirements = {requirement.name for requirement in metadata.requires_dist or ()}
    assert "torch" in requirements or version == "0.3.0"
    assert not requirements.intersection(ONLY_CUDA)

    release = Release.of(open_source(f"lmcache=={version}"))
    for name, path in release.info.items():
        assert (info / name).read_bytes() == release.tree.read(path)
    assert release.tree.origin is not None
    assert release.tree.origin.sha256 in (info / "PORTED.md").read_text()


def test_what_is_left_to_do_is_said_where_it_is(tmp_path: Path) -> None:
    with ZipFile(port("0.3.9.post2", tmp_path)) as wheel:
        path = next(name for name in wheel.namelist() if name.endswith("remaining.json"))
        remaining = json.loads(wheel.read(path))
        for file in remaining["files"]:
            lines = wheel.read(file["path"]).decode().splitlines()
            for finding in file["findings"]:
                before = finding["before"].splitlines()[0]
                assert lines[finding["line"] - 1][finding["column"] - 1 :].startswith(before)
    assert remaining["summary"]["reported"] > 0
    assert remaining["native_modules"] == ["lmcache.c_ops"]


def test_built_twice_it_is_the_same_file(tmp_path: Path) -> None:
    first = port("0.3.9.post2", tmp_path / "first")
    assert first.read_bytes() == port("0.3.9.post2", tmp_path / "second").read_bytes()


def test_the_flagship_imports_on_the_emulated_device(tmp_path: Path) -> None:
    """Many of its modules need what is not installed here; those that do not, import."""
    pytest.importorskip("torch", reason="the import rung needs torch")
    port("0.3.9.post2", tmp_path, "import")
    rungs = json.loads((tmp_path / "ladder.json").read_text())["rungs"]
    (rung,) = (rung for rung in rungs if rung["name"] == "import")
    assert (rung["status"], rung["failures"]) == ("passed", [])
    assert not rung["detail"].startswith("0 of")
    assert [note for note in rung["notes"] if "torch.cuda" in note] == []
