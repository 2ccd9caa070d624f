"""A source tree: the files that a command reads, wherever they came from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

SKIPPED_FOLDERS = frozenset({"__pycache__", "node_modules"})


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
    """Files below ``root``; ``label`` is what the user typed, ``only`` limits a tree to one file."""

    root: Path
    kind: Kind
    label: str
    origin: Origin | None = None
    only: str | None = None

    @property
    def writable(self) -> bool:
        """Whether ``--write`` may edit the tree in place."""
        return self.kind in (Kind.FOLDER, Kind.FILE)

    def files(self) -> Iterator[str]:
        """Paths of all regular files relative to the root, with ``/``, sorted."""
        if self.only is not None:
            yield self.only
            return
        yield from sorted(self._walk(self.root, ""))

    def python_files(self) -> Iterator[str]:
        return (path for path in self.files() if path.endswith((".py", ".pyi")))

    def read(self, path: str) -> bytes:
        return (self.root / path).read_bytes()

    def _walk(self, folder: Path, prefix: str) -> Iterator[str]:
        for entry in folder.iterdir():
            if entry.is_dir():
                if not entry.is_symlink() and not _is_skipped(entry):
                    yield from self._walk(entry, f"{prefix}{entry.name}/")
            elif entry.is_file():
                yield f"{prefix}{entry.name}"


def _is_skipped(folder: Path) -> bool:
    name = folder.name
    return name.startswith(".") or name in SKIPPED_FOLDERS or (folder / "pyvenv.cfg").is_file()
