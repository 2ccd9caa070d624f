from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from porter.errors import PorterError
from porter.findings import Result
from porter.rewrite import write_tree
from porter.sources.tree import Kind, SourceTree

Replacing = Callable[..., Result]
Snapshot = Callable[[Path], dict[str, bytes]]


def test_the_copy_is_whole_and_the_source_untouched(
    tree: SourceTree, replacing: Replacing, snapshot: Snapshot, tmp_path: Path
) -> None:
    (tree.root / "pkg/data.bin").write_bytes(b"\x00cuda")
    (tree.root / ".github").mkdir()
    (tree.root / ".github/ci.yml").write_bytes(b"cuda")
    (tree.root / "pkg/a.py").chmod(0o755)
    before = snapshot(tree.root)
    out = tmp_path / "new/out"
    edited = write_tree(tree, replacing(tree.root), out)
    assert edited == ("pkg/a.py", "pkg/b.py", "pkg/deep/c.py")
    assert snapshot(tree.root) == before
    expected = {path: before[path].replace(b"cuda", b"hpu") for path in edited}
    assert snapshot(out) == {**before, **expected}
    assert (out / "pkg/a.py").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize(
    "path",
    [".git/config", ".porter/1/manifest.json", "pkg/__pycache__/a.pyc", "env/lib/site.py"],
)
def test_what_stays_behind(
    tree: SourceTree, replacing: Replacing, tmp_path: Path, path: str
) -> None:
    (tree.root / "env").mkdir()
    (tree.root / "env/pyvenv.cfg").touch()
    (tree.root / path).parent.mkdir(parents=True, exist_ok=True)
    (tree.root / path).touch()
    write_tree(tree, replacing(tree.root), tmp_path / "out")
    assert not (tmp_path / "out" / path).exists()


def test_an_empty_folder_will_do(tree: SourceTree, replacing: Replacing, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    inode = out.stat().st_ino
    write_tree(tree, replacing(tree.root), out)
    assert (out / "pkg/a.py").exists()
    assert out.stat().st_ino == inode


def test_a_full_one_will_not(
    tree: SourceTree, replacing: Replacing, snapshot: Snapshot, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine").touch()
    with pytest.raises(PorterError, match="not empty"):
        write_tree(tree, replacing(tree.root), out)
    assert snapshot(out) == {"mine": b""}
    with pytest.raises(PorterError, match="not empty"):
        write_tree(tree, replacing(tree.root), out / "mine")


@pytest.mark.parametrize("place", [".", "pkg/out"])
def test_not_into_the_source(tree: SourceTree, replacing: Replacing, place: str) -> None:
    with pytest.raises(PorterError, match=r"not empty|lies within tree"):
        write_tree(tree, replacing(tree.root), tree.root / place)


def test_a_file_tree_gives_one_file(
    tree: SourceTree, replacing: Replacing, snapshot: Snapshot
) -> None:
    result = replacing(tree.root)
    one = SourceTree(tree.root / "pkg", Kind.FILE, "a.py", only="a.py")
    only = replace(result, files=(replace(result.files[0], path="a.py"),))
    write_tree(one, only, tree.root / "pkg/out")
    assert snapshot(tree.root / "pkg/out") == {"a.py": b"x = torch.hpu.Stream()\n"}


def test_links_point_where_they_pointed(
    tree: SourceTree, replacing: Replacing, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x").write_text("x")
    links = {
        "data.txt": tree.root / "README.md",
        "pkg/up": Path("../README.md"),
        "folder": Path("pkg/deep"),
        "outside": outside,
    }
    for name, target in links.items():
        (tree.root / name).symlink_to(target)
    out = tmp_path / "out"
    write_tree(tree, replacing(tree.root), out)
    assert (out / "data.txt").resolve() == out / "README.md"
    assert (out / "pkg/up").readlink() == Path("../README.md")
    assert (out / "folder").resolve() == out / "pkg/deep"
    assert (out / "outside").resolve() == outside


def test_an_edited_link_does_not_write_through(
    tree: SourceTree, replacing: Replacing, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.py"
    outside.write_bytes(b"cuda\n")
    (tree.root / "link.py").symlink_to(outside)
    edits = replace(replacing(tmp_path).files[0], path="link.py")
    write_tree(tree, Result((), (edits,)), tmp_path / "out")
    assert (tmp_path / "out/link.py").read_bytes() == b"hpu\n"
    assert not (tmp_path / "out/link.py").is_symlink()
    assert outside.read_bytes() == b"cuda\n"


def test_a_failure_leaves_nothing_behind(
    tree: SourceTree, replacing: Replacing, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    before = set(tmp_path.rglob("*"))
    with pytest.raises(PorterError, match="Not a directory"):
        write_tree(tree, replacing(tree.root), blocked / "out")
    assert set(tmp_path.rglob("*")) == before


def test_a_disk_that_fills_up_leaves_nothing_behind(
    tree: SourceTree, replacing: Replacing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy that fails half-way stands in for a full disk."""
    before = set(tmp_path.rglob("*"))

    def fail(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    monkeypatch.setattr(shutil, "copy2", fail)
    with pytest.raises(PorterError, match="No space left on device"):
        write_tree(tree, replacing(tree.root), tmp_path / "out")
    assert set(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("exists", [True, False])
def test_a_copy_that_cannot_be_moved_in_whole_is_not_moved_in(
    tree: SourceTree,
    replacing: Replacing,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    exists: bool,
) -> None:
    out = tmp_path / "out"
    if exists:
        out.mkdir()
    before = set(tmp_path.rglob("*"))
    moves, rename = [], Path.rename

    def fail_once(source: Path, target: Path) -> Path:
        moves.append(target)
        if len(moves) == 2:
            raise OSError(errno.ENOSPC, "No space left on device", str(target))
        return rename(source, target)

    monkeypatch.setattr(Path, "rename", fail_once)
    with pytest.raises(PorterError, match="No space left on device; nothing is left of the copy"):
        write_tree(tree, replacing(tree.root), out)
    assert set(tmp_path.rglob("*")) == before and len(moves) == 3
