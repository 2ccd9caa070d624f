"""What a wheel or an sdist says that it holds. Nothing of it is to be trusted."""

from __future__ import annotations

import gzip
import posixpath
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TypeAlias

WHEEL_SUFFIX = ".whl"
TAR_SUFFIXES = (".tar.gz", ".tgz")
SDIST_SUFFIXES = (*TAR_SUFFIXES, ".zip")

#: What reading damaged bytes raises, beside an OSError without errno; little of it is documented.
DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    EOFError,
    LookupError,
    RuntimeError,
    ValueError,
)

_CHUNK = 1024**2
_MAX_LINK = 4096


class Refused(Exception):
    """The archive asks for something that it must not have."""


@dataclass(frozen=True)
class File:
    """``size`` is what the archive claims; ``open`` works until the next member is asked for.

    ``position`` tells how far the archive is read, in its own bytes.
    """

    name: str
    size: int
    executable: bool
    position: int
    open: Callable[[], AbstractContextManager[IO[bytes]]]


@dataclass(frozen=True)
class Folder:
    name: str


@dataclass(frozen=True)
class Link:
    """``target`` is relative to the archive's root, and may lie outside."""

    name: str
    target: str


@dataclass(frozen=True)
class Special:
    """A device, a pipe, a socket, or something unknown."""

    name: str


Member: TypeAlias = File | Folder | Link | Special


def members(archive: Path, limit: int) -> Generator[Member, None, None]:
    """All members in their order; of a tar, at most ``limit`` bytes are inflated.

    Raises Refused, one of DAMAGE, or OSError.
    """
    if archive.name.lower().endswith(TAR_SUFFIXES):
        return _tar_members(archive, limit)
    return _zip_members(archive)


def _zip_members(archive: Path) -> Generator[Member, None, None]:
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            yield _zip_member(opened, info)


def _zip_member(opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member:
    mode = info.external_attr >> 16
    kind = stat.S_IFMT(mode)
    if kind == stat.S_IFLNK:
        with opened.open(info) as content:
            return Link(info.filename, _beside(info.filename, content.read(_MAX_LINK).decode()))
    if info.is_dir() or kind == stat.S_IFDIR:
        return Folder(info.filename)
    if kind not in (0, stat.S_IFREG):
        return Special(info.filename)
    return File(
        name=info.filename,
        size=info.file_size,
        executable=bool(mode & 0o111),
        position=info.header_offset,
        open=partial(opened.open, info),
    )


def _tar_members(archive: Path, limit: int) -> Generator[Member, None, None]:
    with (
        archive.open("rb") as raw,
        _Inflated(raw, limit) as stream,
        tarfile.open(fileobj=stream, mode="r:") as opened,
    ):
        for info in opened:
            yield _tar_member(opened, info, raw.tell())
        # tarfile takes a broken header for the end, and gzip checks its sum only there.
        while rest := stream.read(_CHUNK):
            if rest.strip(b"\0"):
                raise tarfile.ReadError("a broken header")


def _tar_member(opened: tarfile.TarFile, info: tarfile.TarInfo, position: int) -> Member:
    if info.isdir():
        return Folder(info.name)
    if info.issym():
        return Link(info.name, _beside(info.name, info.linkname))
    if info.islnk():
        return Link(info.name, posixpath.normpath(info.linkname))
    if not info.isfile():
        return Special(info.name)
    return File(
        name=info.name,
        size=info.size,
        executable=bool(info.mode & 0o111),
        position=position,
        open=partial(_tar_file, opened, info),
    )


def _tar_file(opened: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    file = opened.extractfile(info)
    if file is None:
        raise tarfile.ReadError("no content")
    return file


def _beside(name: str, target: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), target))


class _Inflated(gzip.GzipFile):
    """A gzip stream that stops at ``limit`` bytes.

    Content is read in chunks, so a longer read is for a header: without a bound
    tarfile would hold a header of any size in memory.
    """

    def __init__(self, raw: IO[bytes], limit: int) -> None:
        super().__init__(fileobj=raw, mode="rb")
        self._limit = limit

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= _CHUNK:
            raise Refused("a header without bounds")
        if self.tell() > self._limit:
            raise Refused(f"inflates to more than {self._limit:,} bytes")
        return super().read(size)
