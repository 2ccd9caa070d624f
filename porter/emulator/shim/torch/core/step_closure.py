"""``mark_step`` cuts the lazy graph. It launches, and waits for nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..utils.internal import lazy_only

_closures: list[tuple[Callable[..., Any], Sequence[Any]]] = []


@lazy_only
def add_step_closure(closure: Callable[..., Any], args: Sequence[Any] = ()) -> None:
    """Call ``closure`` after the next step mark."""
    _closures.append((closure, args))


@lazy_only
def mark_step(device_str: str = "", sync: bool = False) -> None:
    """Ops have run already, so what is left to do is to run the step closures."""
    waiting = _closures.copy()
    _closures.clear()
    for closure, args in waiting:
        closure(*args)


@lazy_only
def iter_mark_step(device_str: str = "") -> None:
    mark_step(device_str)
