"""The core metadata of a ported wheel: upstream's, but for the version and some requirements."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import Version

from porter.package.recipe import Drop

_END = re.compile(rb"^\r?\n", re.MULTILINE)
_VALUE = re.compile(rb"(?<=:).*?(?=\r?\n)")


@dataclass(frozen=True)
class Dropped:
    """A file or a requirement that the ported package goes without."""

    what: str
    reason: str


def ported_version(version: Version, build: int) -> Version:
    """``1.2`` becomes ``1.2+hpu.1``; a local version of upstream's stays in front."""
    local = ".".join(filter(None, (version.local, "hpu", str(build))))
    return Version(f"{version.public}+{local}")


def upstream_version(version: Version) -> Version:
    """The release that a ported one was made from: ``1.2`` for ``1.2+hpu.1``."""
    parts = (version.local or "").split(".")
    local = ".".join(parts[:-2] if parts[-2:-1] == ["hpu"] else parts)
    return Version(f"{version.public}+{local}" if local else version.public)


def port_metadata(data: bytes, version: Version, drop: Drop) -> tuple[bytes, tuple[Dropped, ...]]:
    """The bytes of METADATA with ``version`` in it, and the requirements that went.

    Whatever is not touched stays byte for byte.
    """
    end = _END.search(data)
    head, body = (data[: end.start()], data[end.start() :]) if end else (data, b"")
    kept: list[bytes] = []
    dropped: list[Dropped] = []
    for field in _fields(head):
        name, _, value = field.partition(b":")
        requirement = " ".join(value.decode("utf-8", "replace").split())
        if name.lower() == b"version":
            kept.append(_VALUE.sub(b" " + str(version).encode(), field, count=1))
        elif name.lower() == b"requires-dist" and (reason := _reason(requirement, drop)):
            dropped.append(Dropped(requirement, reason))
        else:
            kept.append(field)
    return b"".join([*kept, body]), tuple(dropped)


def _fields(head: bytes) -> Iterator[bytes]:
    """The fields with their continuation lines and line ends."""
    lines = head.splitlines(keepends=True)
    while lines:
        field = lines.pop(0)
        while lines and lines[0].startswith((b" ", b"\t")):
            field += lines.pop(0)
        yield field


def _reason(requirement: str, drop: Drop) -> str | None:
    """One that nobody can parse stays: the static rung names it."""
    try:
        return drop.reason_for(Requirement(requirement))
    except InvalidRequirement:
        return None
