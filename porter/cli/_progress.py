"""A progress bar for whatever takes longer than a second."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress as Bars

from porter.progress import Progress

#: Seconds.
_PATIENCE = 1.0


@contextmanager
def progress_bar(description: str) -> Iterator[Progress | None]:
    """Yield a callback ``(done, total)``; None where standard error is not a terminal.

    The bar appears on standard error after a second, and leaves nothing behind.
    A total of None is not known.
    """
    if not sys.stderr.isatty():
        yield None
        return
    bar = _Bar(description)
    try:
        yield bar.show
    finally:
        bar.close()


class _Bar:
    def __init__(self, description: str) -> None:
        self._bars = Bars(console=Console(stderr=True), transient=True)
        self._task = self._bars.add_task(description, total=None)
        self._due = time.monotonic() + _PATIENCE

    def show(self, done: int, total: int | None) -> None:
        if time.monotonic() >= self._due:
            self._bars.start()
        self._bars.update(self._task, completed=done, total=total)

    def close(self) -> None:
        self._bars.stop()
