"""A source tree: the files that a command reads, wherever they came from."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from fnmatch import fnmatchcase
from pathlib import Path

PYTHON_SUFFIXES = (".py", ".pyi")
SKIPPED_FOLDERS = frozenset({"__pycache__", "node_modules"})
_HIDDEN_SETTINGS = frozenset({".devcontainer", ".vscode"})


class Kind(str, Enum):
    FOLDER = "folder"
    FILE = "file"
    WHEEL = "wheel"
    SDIST = "sdist"


@dataclass(frozen=True)
class Origin:
    """The archive that a tree was unpacked from."""

    filename: str
    sha256: str
    requirement: str | None = None


@dataclass(frozen=True)
class SourceTree:
    """Files below ``root``; ``label`` is what the user typed, ``only`` limits it to one file.

    Files that match one of the patterns ``exclude`` (``tests/*``) are left out. These speak of
    paths below ``within``: where the root lies in its project, as ``src/``. ``listing`` are
    the files where they are known already.
    """

    root: Path
    kind: Kind
    label: str
    origin: Origin | None = None
    only: str | None = None
    exclude: tuple[str, ...] = ()
    within: str = ""
    listing: tuple[str, ...] | None = None

    @property
    def writable(self) -> bool:
        """Whether ``--write`` may edit the tree in place."""
        return self.kind in (Kind.FOLDER, Kind.FILE)

    def files(self) -> Iterator[str]:
        """Paths of all regular files relative to the root, with ``/``, sorted.

        Folders are not entered through links; a linked file counts where its
        target lies below the root. Folders that cannot be listed are left out:
        see ``unreadable``.
        """
        return self._found() if self.listing is None else iter(self.listing)

    def listed(self) -> SourceTree:
        """The same tree, whose folders are not asked again."""
        return replace(self, listing=tuple(self.files()))

    def _found(self) -> Iterator[str]:
        paths = sorted(_walk(self.root, lambda folder: None)) if self.only is None else [self.only]
        for path in paths:
            place = f"{self.within}{path}"
            if not any(fnmatchcase(place, pattern) for pattern in self.exclude):
                yield path

    def python_files(self) -> Iterator[str]:
        """Modules and stubs; a file that was named is read as one whatever its suffix."""
        return (path for path in self.files() if path == self.only or is_python(path))

    def unreadable(self) -> list[str]:
        """Folders, relative to the root and sorted, whose files ``files`` cannot see."""
        if self.only is not None:
            return []
        folders: list[str] = []
        for _ in _walk(self.root, folders.append):
            pass
        return sorted(folders)

    def read(self, path: str) -> bytes:
        with open(f"{self.root}/{path}", "rb") as file:  # noqa: PTH123 - a third of Path's time
            return file.read()


def is_python(path: str) -> bool:
    return path.endswith(PYTHON_SUFFIXES)


def _walk(root: Path, unreadable: Callable[[str], None]) -> Iterator[str]:
    real_root = os.path.realpath(root)
    pending = [""]
    while pending:
        folder = pending.pop()
        try:
            entries = list(os.scandir(root / folder))
        except OSError:
            unreadable(folder or ".")
            continue
        if folder and any(entry.name == "pyvenv.cfg" for entry in entries):
            continue
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir(follow_symlinks=False):
                if _is_entered(entry.name):
                    pending.append(path)
            elif entry.is_file(follow_symlinks=False) or _links_inside(entry, real_root):
                yield path


def _is_entered(folder: str) -> bool:
    hidden = folder.startswith(".") and folder not in _HIDDEN_SETTINGS
    return not hidden and folder not in SKIPPED_FOLDERS


def _links_inside(entry: os.DirEntry[str], real_root: str) -> bool:
    """Whether it is a link to a file below the root."""
    try:
        if not (entry.is_symlink() and entry.is_file()):
            return False
    except OSError:
        return False
    return os.path.commonpath((real_root, os.path.realpath(entry.path))) == real_root
