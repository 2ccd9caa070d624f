"""Runs of a ported package in each mode, each in a process of its own."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from porter.progress import Progress
from porter.validate import child
from porter.validate.runs import Run

_TIMEOUT = 600.0  # seconds a run and mode
_GRACE = 10.0  # seconds, for a program that no signal ends
_JOBS = min(2, os.cpu_count() or 1)  # each holds the KV four times
_MODES = ("lazy", "eager")
Record = dict[str, Any]


def trips(root: Path, runs: list[Run], scratch: Path, progress: Progress | None) -> Iterator[Trip]:
    """Every run in each mode, as they end."""
    waiting = [(run, mode) for run in reversed(runs) for mode in reversed(_MODES)]
    started: list[Trip] = []
    selector = selectors.DefaultSelector()
    try:
        while waiting or selector.get_map():
            while waiting and len(selector.get_map()) < _JOBS:
                trip = Trip(*waiting.pop(), root, scratch)
                started.append(trip)
                selector.register(trip.pipe, selectors.EVENT_READ, trip)
            ready = {key.data for key, _ in selector.select(timeout=0.2)}
            for trip in [key.data for key in selector.get_map().values()]:
                if (trip in ready and trip.at_end()) or trip.overdue():
                    selector.unregister(trip.pipe)
                    trip.finish()
                    yield trip
            if progress is not None:
                prompts = None if waiting else sum(trip.prompts for trip in started)
                progress(sum(trip.done for trip in started), prompts)
    finally:
        for trip in started:
            trip.kill()


class Trip:
    """One run in one mode, in a process of its own; ``end`` is the last that it says."""

    def __init__(self, run: Run, mode: str, root: Path, scratch: Path) -> None:
        self.run, self.mode = run, mode
        self.end: Record = {}
        self.done, self.prompts = 0, 0
        self._doing = "starts"
        self._received = b""
        self._deadline = time.monotonic() + _TIMEOUT + _GRACE
        self._log: IO[bytes] = (scratch / f"{time.monotonic_ns()}.log").open("w+b")
        self._process = subprocess.Popen(
            child.command("runner"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            cwd=scratch,
            env=_environment(mode),
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self.pipe = self._process.stdout
        # A program that ends before it has read tells why in its log.
        with suppress(BrokenPipeError), self._process.stdin as request:
            request.write(json.dumps(_request(run, root)).encode())

    @property
    def lazy(self) -> bool:
        return self.mode == "lazy"

    def at_end(self) -> bool:
        """Whether there is nothing more to read; forks of the program may keep the pipe open."""
        chunk = os.read(self.pipe.fileno(), 1 << 16)
        *lines, self._received = (self._received + chunk).split(b"\n")
        for line in map(json.loads, lines):
            if "doing" in line:
                self._doing, self.done, self.prompts = line["doing"], line["done"], line["of"]
            else:
                self.end = line
        return bool(self.end) or not chunk

    def overdue(self) -> bool:
        return time.monotonic() > self._deadline

    def finish(self) -> None:
        """What the program has not said itself, once it is over."""
        late = self.overdue()
        self._process.kill()
        code = self._process.wait()
        if not self.end:
            kind = f"takes more than {_TIMEOUT:g} s" if late else self._crash(code)
            self.end = {"error": {"kind": kind, "path": "", "line": 1, "missing": None}}
        if error := self.end.get("error"):
            error["kind"] += f", while it {self._doing}"

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self.pipe.close()
        self._log.close()

    def _crash(self, code: int) -> str:
        self._log.seek(0)
        last = self._log.read().decode(errors="replace").strip().rpartition("\n")[2]
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        return f"ends the interpreter {how}" + (f" ({last})" if last else "")


def _environment(mode: str) -> dict[str, str]:
    lazy = str(int(mode == "lazy"))
    return {"OMP_NUM_THREADS": "1", **child.environment(), "PT_HPU_LAZY_MODE": lazy}


def _request(run: Run, root: Path) -> Record:
    return {
        "root": str(root.resolve()),
        "folder": run.folder,
        "entry": run.entry,
        "timeout": _TIMEOUT,
        "prompt": run.prompt,
        "prompts": run.prompts,
    }
