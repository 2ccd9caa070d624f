"""One porter at a time edits a folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from porter.errors import PorterError


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """Hold ``root`` for this process. Raises PorterError where another one does.

    The lock lies on the folder itself: it leaves no file, and ends with the process.
    """
    folder = os.open(root, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PorterError(
                f"{root}: another porter is writing here; wait until it has ended"
            ) from None
        yield
    finally:
        os.close(folder)
