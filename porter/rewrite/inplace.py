"""Edit a folder or a file where it lies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from porter.errors import PorterError
from porter.findings import Result
from porter.rewrite.atomic import Contents, replace_files, require_writable
from porter.rewrite.changes import Change, changes
from porter.rewrite.git import require_clean
from porter.rewrite.journal import FOLDER, write_entry
from porter.rewrite.lock import locked
from porter.sources.tree import SourceTree


@dataclass(frozen=True)
class Written:
    """The files that were replaced, relative to the root, and the journal entry with the originals.

    ``journal`` is None where nothing had to be changed.
    """

    files: tuple[str, ...]
    journal: Path | None


def rewrite(tree: SourceTree, result: Result, *, force: bool = False) -> Written:
    """Write the edits of ``result`` into the files of ``tree``; ``undo`` puts them back.

    Raises PorterError, with every file as it was, for an archive, a folder that
    another porter is writing, a file that changed since it was read, a read-only
    target, a disk that is full, a link that leads out of the tree and, unless
    ``force``, for a tree that git holds in another state.
    """
    if not tree.writable:
        raise PorterError(
            f"{tree.label}: a {tree.kind.value} cannot be rewritten in place; give --output DIR"
        )
    with locked(tree.root):
        return _rewrite(tree, result, force)


def _rewrite(tree: SourceTree, result: Result, force: bool) -> Written:
    changed = _follow_links(tree.root, changes(tree, result))
    if not changed:
        return Written((), None)
    if not force:
        require_clean(tree)
    contents = {tree.root / item.path: Contents(item.before, item.after) for item in changed}
    require_writable(
        [tree.root / FOLDER, *contents],
        cure="make it writable, or write elsewhere with --output",
    )
    entry = write_entry(tree.root, changed)
    try:
        replace_files(contents, repair="`porter undo` puts it back once the cause is gone")
    except BaseException:
        if _untouched(contents):
            entry.drop()
        raise
    return Written(tuple(item.path for item in changed), entry.folder)


def _untouched(contents: Mapping[Path, Contents]) -> bool:
    return all(path.read_bytes() == item.before for path, item in contents.items())


def _follow_links(root: Path, changed: Iterable[Change]) -> tuple[Change, ...]:
    """The changes by the files that hold the bytes, each once."""
    real_root = root.resolve()
    real: dict[str, Change] = {}
    for item in changed:
        target = (root / item.path).resolve()
        if not target.is_relative_to(real_root):
            raise PorterError(
                f"{item.path}: a link to {target}, outside of {root}; rewrite that folder, "
                "or give --output DIR; nothing was written"
            )
        path = target.relative_to(real_root).as_posix()
        change = real.setdefault(path, Change(path, item.before, item.after))
        if change.after != item.after:
            raise PorterError(f"{item.path}: the same file as {path}, but rewritten differently")
    return tuple(real.values())
