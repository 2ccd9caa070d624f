"""``mark_step`` cuts the lazy graph. It launches, and waits for nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from porter.emulator.build import load

from ..utils.internal import lazy_only

_closures: list[tuple[Callable[..., Any], Sequence[Any]]] = []


@lazy_only
def add_step_closure(closure: Callable[..., Any], args: Sequence[Any] = ()) -> None:
    """Call ``closure`` after the next step mark."""
    _closures.append((closure, args))


@lazy_only
def mark_step(device_str: str = "", sync: bool = False) -> None:
    """Ops have run already: the graph is cut, for the recorder, and the step closures run."""
    load().flush_graph("mark_step")
    waiting = _closures.copy()
    _closures.clear()
    for closure, args in waiting:
        closure(*args)


@lazy_only
def iter_mark_step(device_str: str = "") -> None:
    mark_step(device_str)
