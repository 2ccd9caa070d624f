from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from porter.errors import PorterError
from porter.findings import Edit, FileResult, Result
from porter.rewrite import rewrite, undo
from porter.sources.tree import Kind, SourceTree

Replacing = Callable[..., Result]
Snapshot = Callable[[Path], dict[str, bytes]]


def test_undo_restores_and_leaves_no_trace(
    tree: SourceTree, replacing: Replacing, snapshot: Snapshot
) -> None:
    before = snapshot(tree.root)
    mode = (tree.root / "pkg/a.py").stat().st_mode
    rewrite(tree, replacing(tree.root))
    undone = undo(tree.root)
    assert undone.files == ("pkg/a.py", "pkg/b.py", "pkg/deep/c.py")
    assert snapshot(tree.root) == before
    assert (tree.root / "pkg/a.py").stat().st_mode == mode
    assert not (tree.root / ".porter").exists()


def test_undo_pops_one_run_at_a_time(
    tree: SourceTree, replacing: Replacing, snapshot: Snapshot
) -> None:
    states = [snapshot(tree.root)]
    rewrite(tree, replacing(tree.root))
    states.append(snapshot(tree.root))
    rewrite(tree, replacing(tree.root, "hpu", "xpu"))
    for state in reversed(states):
        undo(tree.root)
        assert snapshot(tree.root) == state
    with pytest.raises(PorterError, match="nothing to undo"):
        undo(tree.root)


def test_a_number_is_not_taken_twice(tree: SourceTree, replacing: Replacing) -> None:
    rewrite(tree, replacing(tree.root))
    second = rewrite(tree, replacing(tree.root, "hpu", "xpu"))
    assert second.journal == tree.root / ".porter/2"
    undo(tree.root)
    assert (tree.root / ".porter/1").is_dir()


@pytest.mark.parametrize("edit", [b"z = hpu  # mine\n", None])
def test_an_edit_since_is_not_lost(
    tree: SourceTree, replacing: Replacing, snapshot: Snapshot, edit: bytes | None
) -> None:
    before = snapshot(tree.root)
    rewrite(tree, replacing(tree.root))
    mine = tree.root / "pkg/deep/c.py"
    if edit is None:
        mine.unlink()
        mine.parent.rmdir()
    else:
        mine.write_bytes(edit)
    edited = snapshot(tree.root)
    with pytest.raises(PorterError, match=r"c\.py: edited since.*--force"):
        undo(tree.root)
    assert snapshot(tree.root) == edited
    undo(tree.root, force=True)
    assert snapshot(tree.root) == before


def test_a_file_that_is_original_again_is_left_alone(
    tree: SourceTree, replacing: Replacing, snapshot: Snapshot
) -> None:
    before = snapshot(tree.root)
    rewrite(tree, replacing(tree.root))
    (tree.root / "pkg/a.py").write_bytes(before["pkg/a.py"])
    inode = (tree.root / "pkg/a.py").stat().st_ino
    undone = undo(tree.root)
    assert (len(undone.files), undone.untouched) == (2, 1)
    assert (tree.root / "pkg/a.py").stat().st_ino == inode
    assert snapshot(tree.root) == before


def test_a_read_only_file_restores_nothing(
    tree: SourceTree, replacing: Replacing, snapshot: Snapshot
) -> None:
    rewrite(tree, replacing(tree.root))
    written = snapshot(tree.root)
    (tree.root / "pkg/b.py").chmod(0o444)
    with pytest.raises(PorterError, match=r"b\.py: read-only; make it writable; every file"):
        undo(tree.root)
    assert snapshot(tree.root) == written


def test_a_refusal_makes_no_folder(tree: SourceTree, replacing: Replacing) -> None:
    rewrite(tree, replacing(tree.root))
    (tree.root / "pkg/a.py").chmod(0o444)
    (tree.root / "pkg/deep/c.py").unlink()
    (tree.root / "pkg/deep").rmdir()
    with pytest.raises(PorterError, match=r"a\.py: read-only"):
        undo(tree.root, force=True)
    assert not (tree.root / "pkg/deep").exists()


def test_a_way_back_that_fails_is_undone_again(
    tree: SourceTree,
    replacing: Replacing,
    snapshot: Snapshot,
    monkeypatch: pytest.MonkeyPatch,
    disk_that_fails: Callable[[], None],
) -> None:
    """No disk fails on demand: the second file cannot be replaced, and the first not put back."""
    before = snapshot(tree.root)
    rewrite(tree, replacing(tree.root))
    disk_that_fails()
    with pytest.raises(PorterError, match="`porter undo` again once the cause is gone"):
        undo(tree.root)
    monkeypatch.undo()
    undo(tree.root)
    assert snapshot(tree.root) == before


def test_a_damaged_original_restores_nothing(
    tree: SourceTree, replacing: Replacing, snapshot: Snapshot
) -> None:
    rewrite(tree, replacing(tree.root))
    written = snapshot(tree.root)
    (tree.root / ".porter/1/originals/pkg/b.py").write_bytes(b"")
    with pytest.raises(PorterError, match="not the original any more"):
        undo(tree.root)
    assert snapshot(tree.root) == written


@pytest.mark.parametrize("manifest", ["", "[]", "{}", '{"files": [{"path": 1}]}'])
def test_a_damaged_manifest(tree: SourceTree, manifest: str) -> None:
    (tree.root / ".porter/1").mkdir(parents=True)
    (tree.root / ".porter/1/manifest.json").write_text(manifest)
    with pytest.raises(PorterError, match=r"manifest\.json: not a journal of porter"):
        undo(tree.root)


@pytest.mark.parametrize("path", ["../victim.py", "link/victim.py", "{tmp}/victim.py"])
def test_a_foreign_journal_cannot_write_outside(
    tree: SourceTree, replacing: Replacing, tmp_path: Path, path: str
) -> None:
    victim = tmp_path / "victim.py"
    victim.write_bytes((tree.root / "pkg/a.py").read_bytes().replace(b"cuda", b"hpu"))
    (tree.root / "link").symlink_to(tmp_path)
    rewrite(tree, replacing(tree.root))
    manifest = tree.root / ".porter/1/manifest.json"
    document = json.loads(manifest.read_text())
    document["files"][0]["path"] = path.format(tmp=tmp_path)
    manifest.write_text(json.dumps(document))
    with pytest.raises(PorterError, match="leads out of the folder"):
        undo(tree.root, force=True)
    assert b"hpu" in victim.read_bytes()


texts = st.text(st.sampled_from("cuda é\r\n\t\x0c"), max_size=30)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=texts, bom=st.booleans(), cut=st.tuples(st.integers(0, 30), st.integers(0, 30)))
def test_undo_of_any_edit(tmp_path: Path, text: str, bom: bool, cut: tuple[int, int]) -> None:
    data = text.encode("utf-8-sig" if bom else "utf-8")
    file = tmp_path / "m.py"
    file.write_bytes(data)
    start, end = sorted(min(at, len(text)) for at in cut)
    result = Result((), (FileResult("m.py", (), 0, (Edit(start, end, "→\r"),)),))
    tree = SourceTree(tmp_path, Kind.FOLDER, "tree")
    rewrite(tree, result)
    assert file.read_bytes().decode("utf-8-sig" if bom else "utf-8") == (
        text[:start] + "→\r" + text[end:]
    )
    undo(tmp_path)
    assert file.read_bytes() == data
