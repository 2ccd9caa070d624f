"""Files in an archive, and back where they came from, byte for byte."""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from porter.errors import PorterError

_NOTE = ".porter.json"
_LEVEL = 1  # of compression: a release is tens of megabytes, and somebody waits


def save(archive: Path, files: Iterable[Path], note: dict[str, Any]) -> None:
    """Write ``files``, by absolute paths, and a note; ``archive`` appears when it is whole."""
    staged = archive.with_name(f"{archive.name}.new")
    with tarfile.open(staged, "w:gz", compresslevel=_LEVEL) as tar:
        data = json.dumps(note).encode()
        head = tarfile.TarInfo(_NOTE)
        head.size = len(data)
        tar.addfile(head, io.BytesIO(data))
        for file in files:
            tar.add(file, recursive=False)
    with staged.open("rb") as written:
        os.fsync(written.fileno())
    staged.replace(archive)


def read_note(archive: Path) -> dict[str, Any]:
    """Raises PorterError where the archive is damaged."""
    with _opened(archive) as tar:
        file = tar.extractfile(_NOTE)
        note: dict[str, Any] = json.loads(file.read() if file else b"{}")
        return note


def contents(archive: Path, roots: Iterable[Path]) -> list[Path]:
    """Where the files go. Raises PorterError where one goes outside of ``roots``."""
    with _opened(archive) as tar:
        return [_destination(member, tuple(roots)) for member in _members(tar)]


def restore(archive: Path, roots: Iterable[Path]) -> list[Path]:
    """Put every file back, with its mode and its times; returns their paths.

    A file of the same name is replaced in one step. Raises PorterError where the archive is
    damaged, or a file would go outside of ``roots``.
    """
    restored: list[Path] = []
    allowed = tuple(roots)
    with _opened(archive) as tar:
        for member in _members(tar):
            path = _destination(member, allowed)
            path.parent.mkdir(parents=True, exist_ok=True)
            _put(tar, member, path)
            restored.append(path)
    return restored


def _put(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    staged = path.with_name(f".{path.name}.porter-new")
    staged.unlink(missing_ok=True)
    if member.issym():
        staged.symlink_to(member.linkname)
    else:
        file = tar.extractfile(member)
        assert file is not None
        staged.write_bytes(file.read())
        staged.chmod(member.mode)
        os.utime(staged, (member.mtime, member.mtime))
    staged.replace(path)


def _members(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    return (member for member in tar if member.name != _NOTE)


def _destination(member: tarfile.TarInfo, roots: tuple[Path, ...]) -> Path:
    path = Path(os.path.normpath(f"/{member.name}"))
    kind = member.isreg() or member.issym() or member.islnk()
    if not kind or not is_below(path, roots):
        raise PorterError(f"{path}: not a file of this environment; nothing was put back")
    return path


def is_below(path: Path, roots: Iterable[Path]) -> bool:
    """Whether ``path``, whatever links it leads through, is spelled as below one of ``roots``."""
    return any(Path(os.path.normpath(path)).is_relative_to(root) for root in roots)


@contextmanager
def _opened(archive: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(archive) as tar:
            yield tar
    except (tarfile.TarError, EOFError, KeyError, ValueError) as error:
        raise PorterError(f"{archive}: damaged: {error}") from error
