"""What each process did, left in a folder for ``porter emulate`` to gather.

A process writes its journal at its end, however Python ends it, and at each new report; one that
is killed has written what it had found by then.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
import time
import uuid
from pathlib import Path
from types import ModuleType
from typing import Any

from porter.emulator.recording import Recording

Journal = dict[str, Any]


def keep_journal(device: ModuleType, folder: Path) -> None:
    """From here on this process and its forks leave a journal in ``folder``."""
    writer = _Writer(folder)
    writer.begin()
    device.announce_to(writer.write)
    atexit.register(writer.finish)
    os.register_at_fork(after_in_child=writer.begin_anew)
    leave = os._exit

    def leave_with_journal(status: int) -> Any:
        writer.finish()
        leave(status)

    os._exit = leave_with_journal


def read_journals(folder: Path) -> list[Journal]:
    """Those of all processes, in the order they began in."""
    journals = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")]
    return sorted(journals, key=lambda journal: (journal.pop("began"), journal["pid"]))


class _Writer:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(self) -> None:
        self._pid = os.getpid()
        self._path = self._folder / f"{self._pid}-{uuid.uuid4().hex}.json"
        self._began = time.monotonic()
        self._recording = Recording()
        self.write()

    def begin_anew(self) -> None:
        """In a fork: what the parent did is in the parent's journal."""
        self._recording.abandon()
        self.begin()

    def finish(self) -> None:
        self._recording.end()
        self.write(ended=True)

    def write(self, ended: bool = False) -> None:
        journal = {
            "pid": self._pid,
            "argv": sys.argv,
            "began": self._began,
            "ended": ended,
            **self._recording.as_dict(),
        }
        scratch = self._path.with_suffix(".tmp")
        try:
            scratch.write_text(json.dumps(journal), encoding="utf-8")
            scratch.replace(self._path)
        except OSError:
            """The command has ended and taken the folder with it; this process outlived it."""
