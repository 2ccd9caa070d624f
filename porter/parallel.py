"""Do the same to many files, in several processes where that pays."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

_Result = TypeVar("_Result")

_WORTH_IT = 400
_CHUNK = 8
_ALLOCATIONS = 100_000


def each(
    work: Callable[[str], _Result], items: Sequence[str], jobs: int | None = None
) -> Iterator[_Result]:
    """The results of ``work`` in the order of ``items``.

    ``jobs`` is the number of processes; None takes one a core for many items,
    and this one for few. ``work`` is sent to every process once, so it may
    carry what all items need; it must be picklable.
    """
    if jobs is None:
        jobs = os.cpu_count() or 1 if len(items) >= _WORTH_IT else 1
    if jobs <= 1 or len(items) < 2:
        with _collecting_seldom():
            yield from map(work, items)
        return
    # Most runs do without the machinery of processes, which takes time to import.
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415

    with ProcessPoolExecutor(jobs, initializer=_employ, initargs=(work,)) as pool:
        yield from pool.map(_work, items, chunksize=_CHUNK)


_employed: list[Callable[[str], Any]] = []


def _employ(work: Callable[[str], Any]) -> None:
    _employed[:] = [work]


def _work(item: str) -> Any:
    with _collecting_seldom():
        return _employed[0](item)


@contextmanager
def _collecting_seldom() -> Iterator[None]:
    """Let the trees of a file grow and go before Python looks for garbage among their nodes.

    Looking as often as it does by default costs as much as parsing.
    """
    usual = gc.get_threshold()
    gc.set_threshold(_ALLOCATIONS, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
