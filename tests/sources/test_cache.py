from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from porter.errors import PorterError
from porter.sources.cache import Archive, Cache, cache_folder

Make = Callable[..., Path]


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def archive(make_zip: Make, tmp_path: Path) -> Archive:
    return Archive.of(make_zip(tmp_path / "x.whl", {"p/a.py": "a = 1\n", "p/b.py": "b = 2\n"}))


def kept(cache: Cache, content: bytes = b"content", name: str = "x.whl") -> Archive:
    with cache.scratch() as scratch:
        (scratch / name).write_bytes(content)
        return cache.keep(scratch / name)


def leftovers(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "cache").glob("tmp-*"))


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"PORTER_CACHE": "/c", "XDG_CACHE_HOME": "/x"}, "/c"),
        ({"PORTER_CACHE": "", "XDG_CACHE_HOME": "/x"}, "/x/porter"),
        ({"XDG_CACHE_HOME": "relative"}, "~/.cache/porter"),
        ({}, "~/.cache/porter"),
    ],
)
def test_where_the_cache_is(environ: dict[str, str], folder: str) -> None:
    assert cache_folder(environ) == Path(folder).expanduser()


def test_a_relative_cache_stays_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cache_folder({"PORTER_CACHE": "here"}) == tmp_path / "here"


def test_an_archive_is_found_by_its_hash(cache: Cache, tmp_path: Path) -> None:
    archive = kept(cache)
    assert archive.path.name == "x.whl"
    assert archive.path.read_bytes() == b"content"
    assert cache.archive(archive.sha256, "x.whl") == archive
    assert cache.archive(archive.sha256, "y.whl") is None
    assert leftovers(tmp_path) == []


def test_a_damaged_archive_is_not_found(cache: Cache) -> None:
    archive = kept(cache)
    archive.path.write_bytes(b"c0ntent")
    assert cache.archive(archive.sha256, "x.whl") is None
    assert kept(cache) == archive
    assert cache.archive(archive.sha256, "x.whl") == archive


def test_a_pin_names_an_archive(cache: Cache, tmp_path: Path) -> None:
    archive = kept(cache)
    assert cache.pinned("acme-1") is None
    cache.pin("acme-1", archive)
    assert cache.pinned("acme-1") == archive
    assert cache.pinned("acme-2") is None
    assert leftovers(tmp_path) == []


def test_a_pin_of_a_damaged_archive_does_not_hold(cache: Cache) -> None:
    archive = kept(cache)
    cache.pin("acme-1", archive)
    archive.path.write_bytes(b"")
    assert cache.pinned("acme-1") is None


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"sha256": 1, "filename": 2}', "\0"])
def test_a_damaged_pin_does_not_hold(cache: Cache, tmp_path: Path, content: str) -> None:
    cache.pin("acme-1", kept(cache))
    (pin,) = (tmp_path / "cache" / "pins").iterdir()
    pin.write_text(content)
    assert cache.pinned("acme-1") is None


def test_an_archive_is_unpacked_once(cache: Cache, archive: Archive, tmp_path: Path) -> None:
    tree = cache.unpacked(archive)
    assert (tree / "p" / "a.py").read_text() == "a = 1\n"
    before = (tree / "p" / "a.py").stat()
    assert cache.unpacked(archive) == tree
    assert (tree / "p" / "a.py").stat() == before
    assert leftovers(tmp_path) == []


def test_the_archive_itself_is_no_longer_needed(cache: Cache, archive: Archive) -> None:
    tree = cache.unpacked(archive)
    archive.path.unlink()
    assert cache.unpacked(archive) == tree


def edit(tree: Path) -> None:
    (tree / "p" / "a.py").write_text("a = 3\n")


def remove(tree: Path) -> None:
    (tree / "p" / "b.py").unlink()


def add(tree: Path) -> None:
    (tree / "p" / "c.py").write_text("")


def rename(tree: Path) -> None:
    (tree / "p" / "b.py").rename(tree / "p" / "c.py")


def break_seal(tree: Path) -> None:
    (tree.parent / "seal").unlink()


@pytest.mark.parametrize("alter", [edit, remove, add, rename, break_seal])
def test_an_altered_tree_is_unpacked_again(
    cache: Cache, archive: Archive, tmp_path: Path, alter: Callable[[Path], None]
) -> None:
    tree = cache.unpacked(archive)
    time.sleep(0.01)
    alter(tree)
    assert cache.unpacked(archive) == tree
    assert {path.name: path.read_text() for path in (tree / "p").iterdir()} == {
        "a.py": "a = 1\n",
        "b.py": "b = 2\n",
    }
    assert leftovers(tmp_path) == []


def test_a_refused_archive_leaves_nothing(cache: Cache, make_zip: Make, tmp_path: Path) -> None:
    hostile = Archive.of(make_zip(tmp_path / "evil.whl", {"a.py": "", "../b.py": ""}))
    for _ in range(2):
        with pytest.raises(PorterError, match=r"evil\.whl: '\.\./b\.py': refused"):
            cache.unpacked(hostile)
    assert list((tmp_path / "cache").iterdir()) == []


def test_the_cache_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("")
    with pytest.raises(PorterError, match=r"cannot be used as the cache: .*; set PORTER_CACHE"):
        kept(Cache(tmp_path / "cache"))


def test_an_archive_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(PorterError, match=r"gone\.whl: cannot be read: No such file"):
        Archive.of(tmp_path / "gone.whl")


def unpack_in_step(root: Path, archive: Archive, start: float) -> str:
    time.sleep(max(0.0, start - time.time()))
    tree = Cache(root).unpacked(archive)
    return "".join((tree / f"{n}.py").read_text() for n in range(200))


def test_processes_at_once_agree(make_zip: Make, tmp_path: Path) -> None:
    archive = Archive.of(make_zip(tmp_path / "x.whl", {f"{n}.py": str(n) for n in range(200)}))
    root, start = tmp_path / "cache", time.time() + 0.5
    with multiprocessing.get_context("fork").Pool(8) as pool:
        texts = pool.starmap(unpack_in_step, [(root, archive, start)] * 8)
    assert set(texts) == {"".join(map(str, range(200)))}
    assert leftovers(tmp_path) == []


def test_a_process_killed_while_unpacking_leaves_no_tree(
    make_zip: Make, cache: Cache, tmp_path: Path
) -> None:
    archive = Archive.of(make_zip(tmp_path / "x.whl", {f"{n}.py": str(n) for n in range(50)}))
    child = os.fork()
    if child == 0:
        cache.unpacked(archive, lambda done, total: os._exit(9) if done > 1000 else None)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert leftovers(tmp_path)
    assert not (tmp_path / "cache" / "unpacked").exists()
    assert len(list(cache.unpacked(archive).iterdir())) == 50
