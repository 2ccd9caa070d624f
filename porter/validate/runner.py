"""Takes KV out of the device and back, as a ported package does it. The run rung starts it.

It reads a request from standard input and writes one JSON object a line to standard output:

    {"root": FOLDER, "folder": FOLDER OF RUNS, "entry": "module:function", "timeout": SECONDS,
     "prompt": {"tokens": N, "kv": {...}},
     "prompts": null | {"count": N, "longest": N, "kv": {...}}}
    {"unavailable": WHY}                            where there is no emulated device
    {"doing": WHAT, "done": N, "of": N}             before each prompt
    {"error": {...}}                                the exception, or the timeout, that ended it
    {"path": PATH, "line": LINE, "difference": WHAT | null, "reports": [...], "notes": [...],
     "ways": {"store": {...}, "load": {...}}}       at the end

The function makes a trip; ``docs/recipes.md`` says what that has to have. In lazy mode all prompts
are taken, and bits are compared of every tenth; in eager mode only those are taken, since nothing
else of them is judged.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import IO, Any

from porter.emulator.build import load
from porter.emulator.install import install
from porter.emulator.recording import Recording, record
from porter.emulator.sanitizer import Report, everything
from porter.emulator.settings import Settings, is_lazy
from porter.errors import PorterError
from porter.validate.importer import described

_SEED = 0
_COMPARED = 10  # one of so many prompts
# The import rung has them as notes, too: whoever asks has heard "no", and went on.
_QUESTION = "cuda-probe"
Record = dict[str, Any]


class _LateError(BaseException):
    """No ``except Exception`` of the package stands in its way."""


def main() -> None:
    request = json.load(sys.stdin)
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what packages print
    say = partial(_say, answer)
    try:
        install(Settings(lines=True))  # whatever the environment asks for
    except PorterError as error:
        say({"unavailable": str(error)})
    else:
        # What is read here is read for whoever stored it.
        load().pass_over(__file__)
        _run(request, say)
    answer.close()
    os._exit(0)  # whatever threads the package has started


def _say(answer: IO[str], line: Record) -> None:
    print(json.dumps(line), file=answer, flush=True)


def _run(request: Record, say: Callable[[Record], None]) -> None:
    root = Path(request["root"])
    sys.path[:] = [str(root), str(root / request["folder"]), *filter(None, sys.path)]
    sys.dont_write_bytecode = True
    _end_after(request["timeout"])
    try:
        end = _Journey(request, say, root).made()
    except _LateError as error:
        end = {"error": {**described(error, root), "kind": str(error)}}
    except BaseException as error:
        end = {"error": described(error, root)}
    signal.setitimer(signal.ITIMER_REAL, 0)
    say(end)


def _end_after(seconds: float) -> None:
    """Raise wherever the program is by then, so that its place can be told."""

    def late(number: int, frame: FrameType | None) -> None:
        raise _LateError(f"takes more than {seconds:g} s")

    signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)


class _Journey:
    def __init__(self, request: Record, say: Callable[[Record], None], root: Path) -> None:
        self._request, self._say, self._root = request, say, root
        self._ways = {"store": _Way(), "load": _Way()}
        self._difference: str | None = None

    def made(self) -> Record:
        """What is said at the end."""
        prompt, prompts = self._request["prompt"], self._request["prompts"]
        lengths = _lengths(prompts) if prompts else []
        self._doing("imports what is run", 0, lengths)
        function = _function(self._request["entry"])
        self._doing(f"takes {prompt['tokens']:,} tokens out and back", 0, lengths)
        self._once(function(prompt["tokens"], **prompt["kv"]), prompt["tokens"])
        if prompts:
            self._many(function(prompts["longest"], **prompts["kv"]), lengths)
        sys.modules["torch"].hpu.synchronize()  # what is still under way is looked at, too
        path, line = function.__code__.co_filename, function.__code__.co_firstlineno
        found = everything()
        return {
            "path": self._below(path),
            "line": line,
            "difference": self._difference,
            "reports": [self._told(report) for report in found if not _is_note(report)],
            "notes": [self._told(report) for report in found if _is_note(report)],
            "ways": {name: way.figures for name, way in self._ways.items()},
        }

    def _once(self, trip: Any, tokens: int) -> None:
        for name, recording in self._there_and_back(trip, tokens, compared=True):
            figures = self._ways[name].figures
            figures["syncs"] = recording.syncs
            if is_lazy():  # in eager mode every op is launched, and is a graph of its own
                figures["launches"] = recording.launches
            figures["bytes"] = _moved(recording) / trip.kv_bytes(tokens)

    def _many(self, trip: Any, lengths: list[int]) -> None:
        for number, tokens in enumerate(lengths):
            self._doing(f"takes {tokens:,} tokens out and back", number + 1, lengths)
            compared = not is_lazy() or number % _COMPARED == 0
            for name, recording in self._there_and_back(trip, tokens, compared):
                beside = _moved(recording) - trip.kv_bytes(tokens) - trip.index_bytes(tokens)
                self._ways[name].add(recording, max(beside, 0) / trip.block_bytes)

    def _there_and_back(
        self, trip: Any, tokens: int, compared: bool
    ) -> Iterator[tuple[str, Recording]]:
        if compared:
            trip.fill()
        with record() as store:
            trip.store(tokens)
        if compared:
            self._compare(f"{tokens:,} tokens out", trip.stored(tokens))
            trip.lose()
        with record() as load:
            trip.load(tokens)
        if compared:
            self._compare(f"{tokens:,} tokens back", trip.loaded(tokens))
        yield "store", store
        yield "load", load

    def _compare(self, when: str, pairs: Iterable[tuple[str, Any, Any]]) -> None:
        """The first look that finds something says enough, and the first that it finds."""
        looks = list(_differences(pairs)) or ["there is nothing to compare"]
        wrong = [what for what in looks if what]
        if wrong and self._difference is None:
            more = f" (and {len(wrong) - 1} more like it)" if wrong[1:] else ""
            self._difference = f"{when}: {wrong[0]}{more}"

    def _doing(self, what: str, done: int, lengths: list[int]) -> None:
        self._say({"doing": what, "done": done, "of": len(lengths) + 1})

    def _below(self, path: str) -> str:
        with suppress(ValueError):
            return str(Path(path).relative_to(self._root))
        return path

    def _told(self, report: Report) -> Record:
        fields = report.as_json()
        message = fields["message"].replace(f"{self._root}{os.sep}", "")
        file = self._below(report.file) if report.file else None
        return {**fields, "message": message, "file": file}


class _Way:
    """One way, of all prompts: the figures that ``porter.validate.budget`` judges."""

    def __init__(self) -> None:
        self.figures: dict[str, float] = {}
        self._graphs: set[Any] = set()
        self._graphs_with_offsets: set[Any] = set()

    def add(self, recording: Recording, padding: float) -> None:
        self._graphs |= recording.graph_keys
        self._graphs_with_offsets |= recording.graph_keys_with_offsets
        if is_lazy():
            self.figures["graphs"] = max(len(self._graphs), len(self._graphs_with_offsets))
        self.figures["padding"] = max(self.figures.get("padding", 0.0), padding)


def _lengths(prompts: Record) -> list[int]:
    longest, count = prompts["longest"], prompts["count"]
    lengths = random.Random(_SEED).choices(range(1, longest + 1), k=count)
    return lengths if is_lazy() else lengths[::_COMPARED]


def _function(entry: str) -> Any:
    module, _, name = entry.partition(":")
    return getattr(import_module(module), name)


def _moved(recording: Recording) -> int:
    """Bytes over the bus, either way."""
    return sum(recording.copies[direction].bytes for direction in ("h2d", "d2h"))


def _is_note(report: Report) -> bool:
    return report.note or report.rule == _QUESTION


def _differences(pairs: Iterable[tuple[str, Any, Any]]) -> Iterator[str | None]:
    """For each name, what there is and what should be: in what they differ, or None."""
    for what, found, expected in pairs:
        yield _difference(what, found.cpu(), expected)


def _difference(what: str, found: Any, expected: Any) -> str | None:
    if (found.shape, found.dtype) != (expected.shape, expected.dtype):
        return f"{what} {_form(found)} and not {_form(expected)}"
    if _words(found).equal(_words(expected)):
        return None
    wrong = (_elements(found) != _elements(expected)).nonzero()
    return (
        f"{what} {len(wrong):,} of {found.numel():,} elements with other bits, the first at "
        f"{wrong[0].tolist()}"
    )


def _form(tensor: Any) -> str:
    return f"{tuple(tensor.shape)} {tensor.dtype}"


def _elements(tensor: Any) -> Any:
    torch = sys.modules["torch"]
    sizes = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
    return tensor.view(sizes[tensor.dtype.itemsize])


def _words(tensor: Any) -> Any:
    """The same bits in words that are compared fast, where there are whole ones."""
    flat = _elements(tensor.contiguous()).flatten()
    return flat if tensor.nbytes % 8 else flat.view(sys.modules["torch"].int64)


if __name__ == "__main__":
    main()
