"""Replace the contents of several files: of all of them, or of none."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from porter.errors import PorterError


@dataclass(frozen=True)
class Contents:
    """``before`` is None where a file is created."""

    before: bytes | None
    after: bytes


def replace_files(contents: Mapping[Path, Contents], *, repair: str) -> None:
    """Write every ``after``. On an error, also a KeyboardInterrupt, every file is as it was.

    All new contents are on the disk before the first file is replaced, so that a
    full disk is met in time; each file is then replaced in one step. Raises
    PorterError, with the cure ``repair`` where the disk refuses the way back as well.
    """
    staged: dict[Path, Path] = {}
    begun: list[Path] = []
    try:
        for path, item in contents.items():
            staged[path] = staging_path(path)
            _stage(path, item.after)
        for path, item in contents.items():
            _require_unchanged(path, item.before)
            begun.append(path)
            staged[path].replace(path)
    except BaseException as error:
        _discard(staged.values())
        _roll_back({path: contents[path].before for path in begun}, repair)
        if isinstance(error, OSError):
            raise PorterError(
                f"{error.filename or path}: cannot be written: {error.strerror}; "
                "every file is as it was"
            ) from error
        raise


def write_file(path: Path, data: bytes) -> None:
    """Write one file that porter makes for its user: whole, or as it was. Raises PorterError.

    A link, such as /dev/stdout, or a pipe is written through, since it can't be replaced.
    """
    if path.is_symlink() or (path.exists() and not path.is_file()):
        path.write_bytes(data)
        return
    before = path.read_bytes() if path.exists() else None
    replace_files({path: Contents(before, data)}, repair="write to another disk")


def require_writable(paths: Iterable[Path], *, cure: str) -> None:
    """Raise PorterError with ``cure`` for the first file, or folder of one, that is read-only.

    A file without a write bit is one that somebody protected: it is respected
    even where the system, or the rights of root, would let us replace it.
    """
    for path in paths:
        for place in (path, path.parent):
            if place.exists() and not _is_writable(place):
                raise PorterError(f"{place}: read-only; {cure}; every file is as it was")


def staging_path(path: Path) -> Path:
    """Where the new contents of ``path`` wait; a kill may leave this file behind."""
    return path.with_name(f".{path.name}.porter-new")


def write_synced(path: Path, data: bytes) -> None:
    """Create ``path``, which must not exist, and wait until its bytes are on the disk."""
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the names in ``folder`` are on the disk, where the file system can."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_writable(place: Path) -> bool:
    return os.access(place, os.W_OK) and bool(place.stat().st_mode & 0o222)


def _stage(path: Path, data: bytes) -> Path:
    staging = staging_path(path)
    staging.unlink(missing_ok=True)
    write_synced(staging, data)
    if path.exists():
        original = path.stat()
        with suppress(PermissionError):
            os.chown(staging, original.st_uid, original.st_gid)
        staging.chmod(stat.S_IMODE(original.st_mode))
    return staging


def _require_unchanged(path: Path, before: bytes | None) -> None:
    current = path.read_bytes() if path.exists() else None
    if current != before:
        raise PorterError(f"{path}: changed while porter ran; run it again; nothing was written")


def _discard(staged: Iterable[Path]) -> None:
    for path in staged:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _roll_back(originals: Mapping[Path, bytes | None], repair: str) -> None:
    for path, before in originals.items():
        try:
            if before is None:
                path.unlink()
            else:
                _stage(path, before).replace(path)
        except OSError as error:
            raise PorterError(f"{path}: cannot be put back: {error.strerror}; {repair}") from error
