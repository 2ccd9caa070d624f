"""One thread that wakes file descriptors at an interval."""

from __future__ import annotations

import os
from contextlib import suppress
from struct import pack
from threading import Condition, Lock, Thread
from typing import ClassVar


class PeriodicEventNotifier:
    """Writes to every registered descriptor; sleeps while there is none.

    A descriptor that is full or closed is passed over.
    """

    _instance: ClassVar[PeriodicEventNotifier | None] = None
    _creating: ClassVar[Lock] = Lock()

    def __init__(self, interval_ms: int, use_eventfd: bool) -> None:
        self._interval_ms = max(1, interval_ms)
        self._signal = pack("=Q", 1) if use_eventfd else b"\1"
        self._changed = Condition()
        self._descriptors: set[int] = set()
        self._stopped = False
        self._thread = Thread(target=self._run, name="PeriodicEventNotifier", daemon=True)
        self._thread.start()

    @classmethod
    def create(cls, interval_ms: int, use_eventfd: bool) -> None:
        """Start the only one; nothing if there is one already.

        ``use_eventfd`` says that descriptors are eventfds, else they are pipes.
        """
        with cls._creating:
            if cls._instance is None:
                cls._instance = cls(interval_ms, use_eventfd)

    @classmethod
    def get(cls) -> PeriodicEventNotifier | None:
        return cls._instance

    @classmethod
    def shutdown(cls) -> None:
        """Stop it, and wait for its thread."""
        with cls._creating:
            if cls._instance is not None:
                cls._instance._stop()
                cls._instance = None

    def register_fd(self, fd: int) -> None:
        """``fd`` is an eventfd, or the end of a pipe that is written to."""
        with self._changed:
            self._descriptors.add(fd)
            self._changed.notify()

    def unregister_fd(self, fd: int) -> None:
        with self._changed:
            self._descriptors.discard(fd)

    def set_interval_ms(self, interval_ms: int) -> None:
        """Takes effect after the interval that is running."""
        self._interval_ms = max(1, interval_ms)

    def _stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopped or self._descriptors)
                if self._stopped:
                    return
                due = list(self._descriptors)
            for descriptor in due:
                with suppress(OSError):
                    os.write(descriptor, self._signal)
            with self._changed:
                self._changed.wait_for(lambda: self._stopped, self._interval_ms / 1000)
