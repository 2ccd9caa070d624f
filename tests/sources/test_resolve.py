from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from porter.errors import PorterError
from porter.sources import Kind, Origin, SourceTree, open_source

Make = Callable[..., Path]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's cache is below ``tmp_path``, and so is the current folder."""
    monkeypatch.setenv("PORTER_CACHE", str(tmp_path / "cache"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "cache"


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_folder(cache: Path) -> None:
    Path("project").mkdir()
    Path("project/a.py").write_text("a = 1\n")
    tree = open_source("project")
    assert tree == SourceTree(Path.cwd() / "project", Kind.FOLDER, "project")
    assert tree.read("a.py") == b"a = 1\n"
    assert not cache.exists()


@pytest.mark.parametrize("name", ["a.py", "notes.txt", "no-suffix"])
def test_a_file(cache: Path, name: str) -> None:
    Path(name).write_text("a = 1\n")
    Path("other.py").write_text("")
    tree = open_source(name)
    assert tree == SourceTree(Path.cwd(), Kind.FILE, name, only=name)
    assert list(tree.files()) == [name]
    assert not cache.exists()


def test_a_wheel(cache: Path, make_wheel: Make) -> None:
    wheel = make_wheel(Path("dist"), "1.0")
    tree = open_source(str(wheel))
    assert tree.kind is Kind.WHEEL
    assert tree.label == str(wheel)
    assert tree.origin == Origin("acme-1.0-py3-none-any.whl", sha256(wheel))
    assert not tree.writable
    assert list(tree.python_files()) == ["acme/__init__.py"]
    assert tree.root.is_relative_to(cache)
    assert [path.name for path in Path("dist").iterdir()] == [wheel.name]


def test_an_sdist_begins_in_its_folder(make_sdist: Make) -> None:
    sdist = make_sdist(Path("dist"), "1.0")
    tree = open_source(str(sdist))
    assert tree.kind is Kind.SDIST
    assert tree.origin == Origin("acme-1.0.tar.gz", sha256(sdist))
    assert not tree.writable
    assert list(tree.files()) == ["PKG-INFO", "acme/__init__.py", "setup.py"]


@pytest.mark.parametrize(
    ("names", "files"),
    [
        (["acme-1/a.py", "acme-1/b.py"], ["a.py", "b.py"]),
        (["one/a.py", "two/b.py"], ["one/a.py", "two/b.py"]),
        (["a.py"], ["a.py"]),
    ],
)
def test_a_zip(make_zip: Make, names: list[str], files: list[str]) -> None:
    tree = open_source(str(make_zip(Path("Some.ZIP"), dict.fromkeys(names, ""))))
    assert tree.kind is Kind.SDIST
    assert list(tree.files()) == files


def test_a_local_archive_of_the_same_name_is_another(make_zip: Make) -> None:
    make_zip(Path("x.zip"), {"p/old.py": ""})
    assert list(open_source("x.zip").files()) == ["old.py"]
    make_zip(Path("x.zip"), {"p/new.py": ""})
    assert list(open_source("x.zip").files()) == ["new.py"]


def test_a_folder_may_be_named_like_an_archive_or_a_requirement() -> None:
    for name in ("odd.whl", "acme==1.0"):
        Path(name).mkdir()
        assert open_source(name).kind is Kind.FOLDER


def test_a_requirement(index: Any, make_wheel: Make, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "1.0")
    index.add(wheel)
    tree = open_source("acme==1.0")
    assert tree.kind is Kind.WHEEL
    assert tree.label == "acme==1.0"
    assert tree.origin == Origin(wheel.name, sha256(wheel), "acme==1.0")
    assert not tree.writable
    asked = len(index.requests)
    assert open_source("acme==1.0") == tree
    assert len(index.requests) == asked


def test_an_sdist_is_not_built(index: Any, make_sdist: Make, tmp_path: Path) -> None:
    sdist = make_sdist(tmp_path, "1.0")
    index.add(sdist)
    tree = open_source("acme<2")
    assert tree.kind is Kind.SDIST
    assert tree.origin == Origin(sdist.name, sha256(sdist), "acme<2")
    assert tree.root.name == "acme-1.0"


def test_a_cache_of_ones_own(index: Any, cache: Path, make_wheel: Make, tmp_path: Path) -> None:
    index.add(make_wheel(tmp_path, "1.0"))
    tree = open_source("acme", cache=tmp_path / "mine")
    assert tree.root.is_relative_to(tmp_path / "mine")
    assert not cache.exists()


@pytest.mark.parametrize(
    "text",
    ["./project", "missing/folder", "module.py", "stub.pyi", "x.WHL", "x.zip", "x.tar.gz", "../x"],
)
def test_a_path_that_does_not_exist(text: str) -> None:
    with pytest.raises(PorterError) as caught:
        open_source(text)
    assert str(caught.value) == f"no such file or folder: {text!r}"


@pytest.mark.parametrize("text", ["", "two words", "acme==", "nul\0", "https://a.example/x.whl"])
def test_neither_a_path_nor_a_requirement(text: str) -> None:
    with pytest.raises(PorterError, match="no such file, and not a requirement"):
        open_source(text)


def test_a_link_into_nowhere() -> None:
    Path("link.py").symlink_to("missing.py")
    with pytest.raises(PorterError, match=r"no such file or folder: 'link\.py'"):
        open_source("link.py")


def test_a_pipe_is_not_waited_for() -> None:
    os.mkfifo("pipe")
    with pytest.raises(PorterError, match="pipe: neither a file nor a folder"):
        open_source("pipe")


def test_a_hostile_archive(cache: Path, make_zip: Make, tmp_path: Path) -> None:
    make_zip(Path("evil.whl"), {"../../../here/evil.py": ""})
    with pytest.raises(PorterError, match=r"evil\.whl: .* refused"):
        open_source("evil.whl")
    assert [path.name for path in Path.cwd().iterdir()] == ["evil.whl"]


def test_progress_is_reported(index: Any, make_wheel: Make, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "1.0")
    index.add(wheel)
    calls: list[tuple[int, int | None]] = []
    open_source("acme", progress=lambda *call: calls.append(call))
    assert calls[-1] == (wheel.stat().st_size, wheel.stat().st_size)


def test_only_who_fetches_pays_for_it() -> None:
    heavy = "{'unearth', 'httpx2', 'ssl', 'packaging'}"
    code = f"import sys, porter.sources; print({heavy} & set(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "set()"


@pytest.mark.network
@pytest.mark.parametrize(
    ("requirement", "kind", "filename"),
    [
        ("lmcache==0.3.0", Kind.SDIST, "lmcache-0.3.0.tar.gz"),
        ("lmcache==0.3.9.post2", Kind.WHEEL, "lmcache-0.3.9.post2-"),
    ],
)
def test_a_real_release(
    requirement: str, kind: Kind, filename: str, capfd: pytest.CaptureFixture[str]
) -> None:
    tree = open_source(requirement)
    assert tree.kind is kind
    assert tree.origin is not None
    assert tree.origin.filename.startswith(filename)
    assert "lmcache/__init__.py" in set(tree.python_files())
    assert capfd.readouterr() == ("", "")


@pytest.mark.network
def test_a_real_release_that_does_not_exist(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(PorterError, match=r"lmcache==999: no such version; the newest is \d"):
        open_source("lmcache==999")
    assert capfd.readouterr() == ("", "")
