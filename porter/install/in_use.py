"""Which processes run from an environment, and would meet two versions of a package."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    id: int
    command: str


def processes_in(folder: Path) -> Iterator[Process]:
    """Those of this user, but for this one, that have a library below ``folder`` in memory."""
    inside = f"{folder}{os.sep}".encode()
    for place in sorted(_PROC.glob("[0-9]*"), key=lambda place: int(place.name)):
        try:
            if int(place.name) != os.getpid() and inside in (place / "maps").read_bytes():
                words = (place / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
                yield Process(int(place.name), " ".join(words).strip())
        except OSError:  # it has ended, or is somebody else's
            continue
