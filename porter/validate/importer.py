"""Imports modules, each in a process of its own. The import rung starts it as a program.

It reads a request from standard input and writes one JSON object a line to standard output:

    {"root": FOLDER, "modules": [...], "timeout": SECONDS, "jobs": N}
    {"module": NAME, "error": null | {...}, "probes": [[PATH, LINE, NAME], ...]}
    {"unavailable": WHY}                                      where there is no emulated device

torch and the device are loaded once; a fork of that process imports one module and ends. So no
module sees what another has imported, and a crash or a hang takes nothing else along.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from porter.emulator.install import install
from porter.errors import PorterError

PROBES = (
    "is_available",
    "device_count",
    "current_device",
    "is_initialized",
    "is_bf16_supported",
    "get_device_name",
    "get_device_capability",
    "get_device_properties",
    "get_arch_list",
    "mem_get_info",
)
Record = dict[str, Any]


def main() -> None:
    request = json.load(sys.stdin)
    root = Path(request["root"])
    report = os.fdopen(os.dup(1), "w", encoding="utf-8")
    try:
        install()
    except PorterError as error:
        print(json.dumps({"unavailable": str(error)}), file=report)
        return
    _first_on_path(root)
    for record in _import_all(root, request["modules"], request["timeout"], request["jobs"]):
        print(json.dumps(record), file=report, flush=True)


def _first_on_path(root: Path) -> None:
    sys.path[:] = [str(root), *filter(None, sys.path)]
    # What is compiled goes to the working folder, which the rung throws away.
    sys.pycache_prefix = str(Path.cwd())


def _import_all(root: Path, modules: list[str], timeout: float, jobs: int) -> Iterator[Record]:
    waiting = list(reversed(modules))
    selector = selectors.DefaultSelector()
    while waiting or selector.get_map():
        while waiting and len(selector.get_map()) < jobs:
            child = _Child(root, waiting.pop(), timeout)
            selector.register(child.pipe, selectors.EVENT_READ, child)
        ready = {key.data for key, _ in selector.select(timeout=0.2)}
        for child in [key.data for key in selector.get_map().values()]:
            if (child in ready and child.at_end()) or child.overdue():
                selector.unregister(child.pipe)
                yield child.record()


class _Child:
    """A fork that imports one module and sends what became of it through a pipe."""

    def __init__(self, root: Path, module: str, timeout: float) -> None:
        self._module = module
        self._timeout = timeout
        self._deadline = time.monotonic() + timeout
        self._received = b""
        self.pipe, sender = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self.pipe)
            _run(root, module, sender)
        os.close(sender)

    def at_end(self) -> bool:
        chunk = os.read(self.pipe, 1 << 16)
        self._received += chunk
        return not chunk

    def overdue(self) -> bool:
        return time.monotonic() > self._deadline

    def record(self) -> Record:
        os.close(self.pipe)
        with suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGKILL)
        _, status = os.waitpid(self._pid, 0)
        try:
            return {"module": self._module, **json.loads(self._received)}
        except ValueError:
            return {"module": self._module, "error": {"kind": self._end(status)}, "probes": []}

    def _end(self, status: int) -> str:
        if self.overdue():
            return f"takes more than {self._timeout:g} s"
        code = os.waitstatus_to_exitcode(status)
        return f"ends the interpreter by {signal.Signals(-code).name}" if code < 0 else "exits"


def _run(root: Path, module: str, sender: int) -> None:
    """In the child. It ends here, whatever threads the module has started."""
    os.setpgid(0, 0)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    probes = _Probes(root)
    error: Record | None = None
    try:
        import_module(module)
    except BaseException as caught:
        error = _described(caught, root)
    message = json.dumps({"error": error, "probes": sorted(probes.seen)}).encode()
    while message:
        message = message[os.write(sender, message) :]
    os._exit(0)


class _Probes:
    """Watches who in the package asks torch for CUDA; the answers stay what they are."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.seen: set[tuple[str, int, str]] = set()
        cuda = sys.modules["torch"].cuda
        for name in PROBES:
            setattr(cuda, name, self._watched(name, getattr(cuda, name)))

    def _watched(self, name: str, probe: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*args: Any, **kwargs: Any) -> Any:
            caller = sys._getframe(1)
            if path := _below(self._root, caller.f_code):
                self.seen.add((path, caller.f_lineno, name))
            return probe(*args, **kwargs)

        return watched


def _described(error: BaseException, root: Path) -> Record:
    place = ("", 1)
    for frame, line in traceback.walk_tb(error.__traceback__):
        place = _place(frame, line, root) or place
    if isinstance(error, SyntaxError) and error.filename:
        with suppress(ValueError):
            place = (str(Path(error.filename).relative_to(root)), error.lineno or 1)
    message = str(error).strip().partition("\n")[0]
    return {
        "kind": f"{type(error).__name__}: {message}" if message else type(error).__name__,
        "path": place[0],
        "line": place[1],
        "missing": _missing(error),
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


if __name__ == "__main__":
    main()
