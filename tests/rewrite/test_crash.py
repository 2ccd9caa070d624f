"""Stop at every step that touches the disk, in every way, and lose nothing."""

from __future__ import annotations

import errno
import os
import resource
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from porter.errors import PorterError
from porter.findings import Result
from porter.rewrite import rewrite, undo
from porter.sources.tree import SourceTree

Replacing = Callable[..., Result]
Snapshot = Callable[[Path], dict[str, bytes]]
Fault = Callable[..., AbstractContextManager[list[str]]]

NEVER = 10**6
KILLED = -signal.SIGKILL


def steps_of(fault: Fault, work: Callable[[], object]) -> int:
    """How many steps ``work`` takes when nothing stops it."""
    with fault(NEVER, lambda: None) as taken:
        work()
    return len(taken)


def in_a_child(work: Callable[[], object]) -> int:
    """Fork, do ``work``, and give the exit code, negative for a signal."""
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def kill_at(fault: Fault, step: int, work: Callable[[], object]) -> int:
    def killed() -> None:
        with fault(step, lambda: os.kill(os.getpid(), signal.SIGKILL)):
            work()

    return in_a_child(killed)


def undo_if_begun(root: Path) -> None:
    try:
        undo(root)
    except PorterError as error:
        assert "nothing to undo" in str(error)


def test_a_kill_at_any_step_of_writing(
    tree: SourceTree, replacing: Replacing, snapshot: Snapshot, fault: Fault
) -> None:
    before, result = snapshot(tree.root), replacing(tree.root)
    total = steps_of(fault, lambda: rewrite(tree, result))
    after = snapshot(tree.root)
    undo(tree.root)
    halfway = 0
    for step in range(total):
        assert kill_at(fault, step, lambda: rewrite(tree, result)) == KILLED
        killed = snapshot(tree.root)
        for path in before:
            assert killed[path] in (before[path], after[path])
        halfway += before != {path: killed[path] for path in before} != after
        undo_if_begun(tree.root)
        assert snapshot(tree.root) == before
    assert halfway, "no kill fell between two files"


def test_a_kill_at_any_step_and_another_run(
    tree: SourceTree, replacing: Replacing, snapshot: Snapshot, fault: Fault
) -> None:
    before, result = snapshot(tree.root), replacing(tree.root)
    total = steps_of(fault, lambda: rewrite(tree, result))
    after = snapshot(tree.root)
    undo(tree.root)
    for step in range(total):
        kill_at(fault, step, lambda: rewrite(tree, result))
        rewrite(tree, replacing(tree.root))
        assert snapshot(tree.root) == after
        while (tree.root / ".porter").exists():
            undo(tree.root)
        assert snapshot(tree.root) == before


def test_a_kill_at_any_step_of_undo(
    tree: SourceTree, replacing: Replacing, snapshot: Snapshot, fault: Fault
) -> None:
    before, result = snapshot(tree.root), replacing(tree.root)
    rewrite(tree, result)
    total = steps_of(fault, lambda: undo(tree.root))
    for step in range(total):
        rewrite(tree, result)
        assert kill_at(fault, step, lambda: undo(tree.root)) == KILLED
        undo_if_begun(tree.root)
        assert snapshot(tree.root) == before


def test_an_error_at_any_step_of_writing(
    tree: SourceTree, replacing: Replacing, snapshot: Snapshot, fault: Fault
) -> None:
    """Only a folder that cannot be synced is no error: some file systems never can."""
    before, result = snapshot(tree.root), replacing(tree.root)
    total = steps_of(fault, lambda: rewrite(tree, result))
    undo(tree.root)

    def fail() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    for step in range(total):
        with fault(step, fail) as taken:
            try:
                rewrite(tree, result)
            except PorterError as error:
                assert "No space left on device" in str(error)
                assert "\n" not in str(error)
            else:
                assert taken[step] == "fsync"
                undo(tree.root)
        assert snapshot(tree.root) == before
        assert not (tree.root / ".porter").exists()


@pytest.mark.parametrize("late", [False, True])
def test_an_interrupt_at_any_step_of_writing(
    tree: SourceTree, replacing: Replacing, snapshot: Snapshot, fault: Fault, late: bool
) -> None:
    before, result = snapshot(tree.root), replacing(tree.root)
    total = steps_of(fault, lambda: rewrite(tree, result))
    undo(tree.root)

    def interrupt() -> None:
        raise KeyboardInterrupt

    for step in range(total):
        with fault(step, interrupt, late=late), pytest.raises(KeyboardInterrupt):
            rewrite(tree, result)
        assert snapshot(tree.root) == before
        undo_if_begun(tree.root)
        assert snapshot(tree.root) == before


def test_a_disk_that_takes_nothing_more(
    tree: SourceTree, replacing: Replacing, snapshot: Snapshot
) -> None:
    """The limit on file sizes stands in for a full disk: the system refuses, not we."""
    (tree.root / "pkg/a.py").write_bytes(b"cuda\n" * 5000)
    before, result = snapshot(tree.root), replacing(tree.root)

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        try:
            rewrite(tree, result)
        except PorterError as error:
            os._exit(17 if "File too large; every file is as it was" in str(error) else 18)

    assert in_a_child(limited) == 17
    assert snapshot(tree.root) == before
    assert not (tree.root / ".porter").exists()


def test_a_way_back_that_fails_keeps_the_journal(
    tree: SourceTree,
    replacing: Replacing,
    snapshot: Snapshot,
    monkeypatch: pytest.MonkeyPatch,
    disk_that_fails: Callable[[], None],
) -> None:
    before = snapshot(tree.root)
    disk_that_fails()
    with pytest.raises(PorterError, match="`porter undo` puts it back"):
        rewrite(tree, replacing(tree.root))
    assert snapshot(tree.root) != before
    monkeypatch.undo()
    undo(tree.root)
    assert snapshot(tree.root) == before


def test_a_file_edited_meanwhile_is_not_overwritten(
    tree: SourceTree, replacing: Replacing, snapshot: Snapshot, fault: Fault
) -> None:
    result = replacing(tree.root)
    mine = tree.root / "pkg/deep/c.py"
    edit = fault(0, lambda: mine.write_bytes(b"mine = 1\n"))
    with edit, pytest.raises(PorterError, match=r"c\.py: changed while porter ran"):
        rewrite(tree, result)
    assert mine.read_bytes() == b"mine = 1\n"
    assert b"cuda" in (tree.root / "pkg/a.py").read_bytes()
