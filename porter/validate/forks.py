"""A fork of this process that does one job in silence, and tells of it through a pipe."""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Fork:
    """``pipe`` is the end to read from; it comes to its end with the fork."""

    pid: int
    pipe: int

    @classmethod
    def of(cls, job: Callable[[int], None]) -> Fork:
        """Start ``job``, which gets the end of the pipe to write to.

        The fork ends with it, whatever threads it has started, and no later than this process.
        """
        pipe, sender = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.close(pipe)
                _leave()
                job(sender)
            finally:
                os._exit(0)
        os.close(sender)
        return cls(pid, pipe)

    def end(self) -> int:
        """Kill it and what it has started; its exit code, or its signal as a negative number."""
        os.close(self.pipe)
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def send(pipe: int, message: bytes) -> None:
    while message:
        message = message[os.write(pipe, message) :]


def _leave() -> None:
    """Out of the parent's group, so that ``end`` reaches all of this one and nothing else."""
    os.setpgid(0, 0)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
