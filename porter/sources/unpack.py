"""Unpack wheels and sdists that nobody has vouched for.

Nothing of an archive reaches a place outside the given folder, no link is ever
created, and what an archive may cost is bounded. The limits leave room for the
largest wheels there are (torch, vLLM: some 10,000 files, 3 GB, 3 to 6 times the
size of the archive) and stop archives that are made to fill a disk.
"""

from __future__ import annotations

import errno
import posixpath
import shutil
from contextlib import closing
from pathlib import Path, PureWindowsPath
from typing import IO

from porter.errors import PorterError
from porter.progress import Progress
from porter.sources.archive import DAMAGE, File, Folder, Link, Member, Refused, members

MAX_MEMBERS = 50_000
MAX_DEPTH = 64
MAX_LINKS = 40
MAX_BYTES = 8 * 1024**3
#: Unpacked size over the size of the archive; up to SMALL_BYTES it does not matter.
MAX_RATIO = 100
SMALL_BYTES = 64 * 1024**2

_TWICE = "a second member of this name"


def unpack(archive: Path, folder: Path, progress: Progress | None = None) -> None:
    """Unpack a wheel or an sdist into ``folder``, which must not exist yet.

    A link to a file of the archive becomes a copy of that file; a link to
    anything else inside is left out. Of the modes only "executable" is kept.

    Raises PorterError, naming the archive and the member, for a damaged archive,
    a name or a link that leads outside, a device, a name given twice, and an
    archive above the limits; ``folder`` is then incomplete.
    """
    size = archive.stat().st_size
    limit = min(MAX_BYTES, max(SMALL_BYTES, MAX_RATIO * size))
    target = _Target(folder, limit)
    try:
        folder.mkdir()
        with closing(members(archive, limit)) as found:
            for member in found:
                target.add(member)
                if progress is not None and isinstance(member, File):
                    progress(member.position, size)
        target.add_links()
        if progress is not None:
            progress(size, size)
    except (Refused, *DAMAGE, OSError) as error:
        place = f"{archive.name}: {target.current!r}" if target.current else archive.name
        raise PorterError(f"{place}: {_reason(error)}") from error


class _Target:
    """The folder that is being filled; ``current`` is the member that is being added."""

    def __init__(self, folder: Path, limit: int) -> None:
        self.current = ""
        self._folder = folder
        self._limit = limit
        self._bytes = 0
        self._members = 0
        self._links: dict[str, str] = {}

    def add(self, member: Member) -> None:
        self.current = member.name
        self._members += 1
        if self._members > MAX_MEMBERS:
            raise Refused(f"more than {MAX_MEMBERS:,} members")
        path = _inside(member.name, "its name")
        if isinstance(member, File):
            self._reserve(member.size)
            with member.open() as content:
                self._write(path, content, member.executable)
        elif isinstance(member, Link):
            if path in self._links:
                raise Refused(_TWICE)
            self._links[path] = _inside(member.target, f"a link to {member.target!r}")
        elif isinstance(member, Folder):
            self._make_folder(path)
        else:
            raise Refused("neither a file, a folder nor a link")
        self.current = ""

    def add_links(self) -> None:
        for path in self._links:
            self.current = path
            source = self._folder / self._end_of(path)
            if source.is_file():
                status = source.stat()
                self._reserve(status.st_size)
                with source.open("rb") as content:
                    self._write(path, content, bool(status.st_mode & 0o111))
        self.current = ""

    def _end_of(self, link: str) -> str:
        path = link
        for _ in range(MAX_LINKS):
            path = self._links.get(path, path)
        return path

    def _reserve(self, size: int) -> None:
        self._bytes += size
        if size < 0 or self._bytes > self._limit:
            raise Refused(f"unpacks to more than {self._limit:,} bytes")

    def _make_folder(self, path: str) -> None:
        try:
            (self._folder / path).mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise Refused(_TWICE) from None

    def _write(self, path: str, content: IO[bytes], executable: bool) -> None:
        self._make_folder(posixpath.dirname(path))
        out = self._folder / path
        try:
            file = out.open("xb")
        except FileExistsError:
            raise Refused(_TWICE) from None
        with file:
            shutil.copyfileobj(content, file)
        if executable:
            out.chmod(0o755)


def _inside(name: str, what: str) -> str:
    """``name`` without empty and ``.`` parts. Raises Refused where it may lead outside."""
    if name.startswith("/") or PureWindowsPath(name).drive:
        raise Refused(f"{what} is absolute")
    if "\\" in name or "\0" in name:
        raise Refused(f"{what} has a backslash or a null in it")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise Refused(f"{what} leads out of the archive")
    if len(parts) > MAX_DEPTH:
        raise Refused(f"{what} is more than {MAX_DEPTH} folders deep")
    return "/".join(parts)


def _reason(error: Exception) -> str:
    if isinstance(error, Refused):
        return f"refused: {error}"
    # A seek to before the start, as damaged headers ask for, is an invalid argument.
    if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
        return f"cannot be unpacked: {error.strerror}"
    return f"damaged archive: {str(error) or type(error).__name__}"
