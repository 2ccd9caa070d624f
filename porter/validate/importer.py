"""Imports modules, each in a process of its own. The import rung starts it as a program.

It reads a request from standard input and writes one JSON object a line to standard output:

    {"root": FOLDER, "modules": [...], "own": [TOP-LEVEL NAMES], "preload": [STATEMENTS],
     "stand_ins": {PACKAGE: WHEEL, ...}, "timeout": SECONDS, "jobs": N}
    {"loading": STATEMENT}                          before each import of a third party
    {"module": NAME, "error": null | {...}, "probes": [[PATH, LINE, NAME], ...]}
    {"unavailable": WHY}                            where there is no emulated device

torch, the device, third parties and the package's own top are loaded once; a fork of that process
imports one module and ends. So no module sees what another one has imported, and a crash or a hang
takes nothing else along.
"""

from __future__ import annotations

import json
import os
import re
import selectors
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial, wraps
from importlib import import_module
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from porter.emulator.install import install
from porter.emulator.watch import PROBES
from porter.errors import PorterError
from porter.validate.forks import Fork, send
from porter.validate.preload import preloaded
from porter.validate.stand_in import StandIn

_UNBOUND = re.compile(r"cannot import name '(\w+)' from '([\w.]+)'")
Record = dict[str, Any]


def main() -> None:
    request = json.load(sys.stdin)
    report = os.fdopen(os.dup(1), "w", encoding="utf-8")
    try:
        install()
    except PorterError as error:
        print(json.dumps({"unavailable": str(error)}), file=report)
        return
    root = Path(request["root"])
    work = _Work(root, _Probes(root), request["timeout"], request["jobs"])
    _first_on_path(root)
    sys.meta_path += [StandIn(name, Path(wheel)) for name, wheel in request["stand_ins"].items()]
    lines = _lines(work, request["modules"], request["preload"], frozenset(request["own"]))
    with suppress(KeyboardInterrupt):
        for line in lines:
            print(json.dumps(line), file=report, flush=True)


def _first_on_path(root: Path) -> None:
    sys.path[:] = [str(root), *filter(None, sys.path)]
    # What is compiled goes to the working folder, which the rung throws away: for the next fork.
    sys.pycache_prefix = str(Path.cwd())
    sys.dont_write_bytecode = False


def _lines(
    work: _Work, modules: list[str], statements: list[str], own: frozenset[str]
) -> Iterator[Record]:
    """A failure beside what was there before has to show without it too.

    Beside third parties that is the package itself, which any module of it would import first.
    """
    statements = [*statements, *(f"import {name}" for name in modules if "." not in name)]
    left = dict.fromkeys(modules)
    for line in preloaded(statements, own, partial(work.records, modules), work.timeout):
        if not _is_in_doubt(line):
            left.pop(line.get("module", ""), None)
            yield line
    yield from work.records(left)


def _is_in_doubt(line: Record) -> bool:
    """A module that is nowhere to be found is so either way."""
    error = line.get("error")
    return error is not None and not error.get("missing")


@dataclass(frozen=True)
class _Work:
    root: Path
    probes: _Probes
    timeout: float
    jobs: int

    def records(self, modules: Iterable[str]) -> Iterator[Record]:
        waiting = list(reversed(list(modules)))
        selector = selectors.DefaultSelector()
        while waiting or selector.get_map():
            while waiting and len(selector.get_map()) < self.jobs:
                child = _Child(self, waiting.pop())
                selector.register(child.pipe, selectors.EVENT_READ, child)
            ready = {key.data for key, _ in selector.select(timeout=0.2)}
            for child in [key.data for key in selector.get_map().values()]:
                if (child in ready and child.at_end()) or child.overdue():
                    selector.unregister(child.pipe)
                    yield child.record()

    def run(self, module: str, pipe: int) -> None:
        """In the child."""
        error: Record | None = None
        try:
            import_module(module)
        except BaseException as caught:
            error = described(caught, self.root)
        send(pipe, json.dumps({"error": error, "probes": sorted(self.probes.seen)}).encode())


class _Child:
    """A fork that imports one module and sends what became of it through a pipe."""

    def __init__(self, work: _Work, module: str) -> None:
        self._module = module
        self._timeout = work.timeout
        self._deadline = time.monotonic() + work.timeout
        self._received = b""
        self._fork = Fork.of(partial(work.run, module))
        self.pipe = self._fork.pipe

    def at_end(self) -> bool:
        chunk = os.read(self.pipe, 1 << 16)
        self._received += chunk
        return not chunk

    def overdue(self) -> bool:
        return time.monotonic() > self._deadline

    def record(self) -> Record:
        code = self._fork.end()
        try:
            return {"module": self._module, **json.loads(self._received)}
        except ValueError:
            return {"module": self._module, "error": {"kind": self._end(code)}, "probes": []}

    def _end(self, code: int) -> str:
        if self.overdue():
            return f"takes more than {self._timeout:g} s"
        return f"ends the interpreter by {signal.Signals(-code).name}" if code < 0 else "exits"


class _Probes:
    """Watches who in the package asks torch for CUDA; the answers stay what they are.

    ``seen`` of a fork is its own.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self.seen: set[tuple[str, int, str]] = set()
        cuda = sys.modules["torch"].cuda
        for name in PROBES:
            setattr(cuda, name, self._watched(name, getattr(cuda, name)))

    def _watched(self, name: str, probe: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(probe)
        def watched(*args: Any, **kwargs: Any) -> Any:
            caller = sys._getframe(1)
            if path := _below(self._root, caller.f_code):
                self.seen.add((path, caller.f_lineno, name))
            return probe(*args, **kwargs)

        return watched


def described(error: BaseException, root: Path) -> Record:
    """What an import ended in, at the last line below ``root`` that was running."""
    place = ("", 1)
    for frame, line in traceback.walk_tb(error.__traceback__):
        place = _place(frame, line, root) or place
    if isinstance(error, SyntaxError) and error.filename:
        with suppress(ValueError):
            place = (str(Path(error.filename).relative_to(root)), error.lineno or 1)
    message = str(error).strip().partition("\n")[0].replace(f"{root}{os.sep}", "")
    return {
        "kind": f"{type(error).__name__}: {message}" if message else type(error).__name__,
        "path": place[0],
        "line": place[1],
        "missing": _missing(error),
        "unbound": _unbound(error),
    }


def _place(frame: FrameType, line: int, root: Path) -> tuple[str, int] | None:
    path = _below(root, frame.f_code)
    return (path, line) if path else None


def _below(root: Path, code: CodeType) -> str | None:
    try:
        return str(Path(code.co_filename).relative_to(root))
    except ValueError:
        return None


def _missing(error: BaseException | None) -> str | None:
    """The module that was not found, where its absence is what the import fails of."""
    while isinstance(error, ImportError):
        if isinstance(error, ModuleNotFoundError) and error.name:
            return error.name
        error = error.__cause__ or error.__context__
    return None


def _unbound(error: BaseException) -> str | None:
    """The dotted name that ``from a import b`` did not find in a module that is there."""
    found = _UNBOUND.match(str(error)) if isinstance(error, ImportError) else None
    return f"{found[2]}.{found[1]}" if found else None


if __name__ == "__main__":
    main()
