"""Third parties, imported once for all modules that ask for them.

That is done in a fork, the nursery, which tells how each statement went. One that raises,
crashes, hangs or leaves more behind than third parties spoils it: another nursery is tried
without that statement. What serves in the end is a process in which all of them went well.
"""

from __future__ import annotations

import gc
import json
import os
import select
import sys
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from porter.emulator.finder import BRIDGE
from porter.validate.forks import Fork, send
from porter.validate.third_parties import top

_ATTEMPTS = 6
_GRACE = 2.0  # seconds, beyond the time that a module has
Record = dict[str, Any]
Tell = Callable[[Record], None]


def preloaded(
    statements: list[str],
    own: frozenset[str],
    serve: Callable[[], Iterator[Record]],
    timeout: float,
) -> Iterator[Record]:
    """What ``serve`` yields in a process that has run ``statements``, as many as can be.

    ``{"loading": STATEMENT}`` comes before each of them. ``own`` are the top-level names of the
    package, which third parties must leave unknown. Nothing is served where no attempt
    succeeds, and not all of it where the process dies of it or is silent for longer than
    ``timeout`` seconds.
    """
    statements = [statement for statement in statements if _is_there(top(statement))]
    for _ in range(_ATTEMPTS if statements else 0):
        spoilt: set[str] = set()
        loading = ""
        for line in _lines(partial(_nurse, statements, own, serve), timeout + _GRACE):
            if "spoilt" in line:
                spoilt.add(line["spoilt"])
            else:
                loading = line.get("loading", "")
                yield line
        if loading:
            spoilt.add(loading)
        if not spoilt:
            return
        statements = [statement for statement in statements if statement not in spoilt]


def _is_there(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ValueError:
        return False


def _lines(job: Callable[[Tell], None], patience: float) -> Iterator[Record]:
    """What a fork tells, until it ends or is silent for ``patience`` seconds."""
    fork = Fork.of(lambda pipe: job(lambda line: send(pipe, json.dumps(line).encode() + b"\n")))
    begun = b""
    try:
        while select.select([fork.pipe], [], [], patience)[0] and (
            chunk := os.read(fork.pipe, 1 << 16)
        ):
            *whole, begun = (begun + chunk).split(b"\n")
            yield from map(json.loads, whole)
    finally:
        fork.end()


def _nurse(
    statements: list[str], own: frozenset[str], serve: Callable[[], Iterator[Record]], tell: Tell
) -> None:
    """In the fork."""
    well = [_went_well(statement, own, tell) for statement in statements]
    tell({"loading": ""})
    if all(well):
        gc.freeze()
        for record in serve():
            tell(record)


def _went_well(statement: str, own: frozenset[str], tell: Tell) -> bool:
    tell({"loading": statement})
    threads, names = _threads(), _watched(own)
    try:
        exec(statement, {})
        well = _threads() <= threads
        well = well and (top(statement) in own or _watched(own) == names)
    except BaseException:
        well = False
    if not well:
        tell({"spoilt": statement})
    return well


def _threads() -> int:
    """Of this process, C's own too: no fork has them, but it has the locks that they hold."""
    return len(list(Path("/proc/self/task").iterdir()))


def _watched(own: frozenset[str]) -> set[str]:
    """What no module may find already there: the package, and the bridge, which adds torch.hpu."""
    return {name for name in sys.modules if name.partition(".")[0] in {*own, BRIDGE}}
