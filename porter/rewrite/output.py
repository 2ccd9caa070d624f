"""Write a rewritten copy of a whole tree."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from porter.errors import PorterError
from porter.findings import Result
from porter.rewrite.changes import changes
from porter.rewrite.journal import FOLDER
from porter.sources.tree import SKIPPED_FOLDERS, SourceTree

_LEFT_BEHIND = SKIPPED_FOLDERS | {FOLDER, ".git", ".hg", ".svn"}


def write_tree(tree: SourceTree, result: Result, folder: Path) -> tuple[str, ...]:
    """Copy every file of ``tree`` to ``folder``, with the edits of ``result``; name those edited.

    Files keep their permissions, links point where they pointed. Version
    control, caches and virtual environments stay behind. ``folder`` is filled
    once the copy is complete. Raises PorterError where it exists and holds
    something, lies within the tree, or cannot be written.
    """
    folder = folder.resolve()
    _require_free(tree, folder)
    contents = {item.path: item.after for item in changes(tree, result)}
    draft = folder.with_name(f".{folder.name}.porter-new")
    try:
        _remove(draft)
        for path in [tree.only] if tree.only else _everything(tree.root):
            _copy(tree, path, draft / path, contents.get(path))
        _move(draft, folder)
    except OSError as error:
        raise PorterError(
            f"{error.filename or folder}: cannot be written: {error.strerror}; "
            "nothing is left of the copy"
        ) from error
    finally:
        _remove(draft)
    return tuple(contents)


def _require_free(tree: SourceTree, folder: Path) -> None:
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise PorterError(f"{folder}: not empty; --output needs a new or an empty folder")
    if tree.only is None and folder.is_relative_to(tree.root.resolve()):
        raise PorterError(f"{folder}: lies within {tree.label}; give --output a folder outside")


def _move(draft: Path, folder: Path) -> None:
    """Fill a new or an empty folder with all of ``draft``, or leave it as it was."""
    new = not folder.exists()
    folder.mkdir(exist_ok=True)
    try:
        for entry in draft.iterdir():
            entry.rename(folder / entry.name)
    except BaseException:
        for moved in folder.iterdir():
            moved.rename(draft / moved.name)
        if new:
            folder.rmdir()
        raise


def _remove(draft: Path) -> None:
    shutil.rmtree(draft, ignore_errors=True)


def _everything(root: Path) -> Iterator[str]:
    """Relative paths of files and links. Hidden ones belong to a project and are included."""
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        links = [name for name in folders if (here / name).is_symlink()]
        folders[:] = [
            name
            for name in folders
            if name not in links
            and name not in _LEFT_BEHIND
            and not (here / name / "pyvenv.cfg").is_file()
        ]
        for name in (*links, *files):
            yield (here / name).relative_to(root).as_posix()


def _copy(tree: SourceTree, path: str, target: Path, data: bytes | None) -> None:
    source = tree.root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    if data is not None:
        target.write_bytes(data)
        shutil.copymode(source, target)
    elif source.is_symlink() and tree.only is None:
        target.symlink_to(_destination(tree.root, source))
    elif source.is_file():
        shutil.copy2(source, target)


def _destination(root: Path, link: Path) -> str:
    real = link.resolve()
    if real.is_relative_to(root.resolve()):
        return os.path.relpath(real, link.parent.resolve())
    return str(real)
