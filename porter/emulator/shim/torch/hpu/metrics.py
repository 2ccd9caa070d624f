"""The bridge's metrics, by their names, as far as the recorder knows them.

A graph that is new to the process counts as a compilation, any other launch as a hit of the recipe
cache, and an op that the bridge does not list as a fallback to the CPU. Times and defragmentations
stand at zero.
"""

from __future__ import annotations

import enum
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from porter.emulator.recording import Recording
from porter.emulator.sanitizer import notes


class MetricNotFound(Exception):
    """There is no metric of the name."""


class InvalidMetricDumpFileFormat(Exception):
    """A dump is json or text."""


class InvalidMetricDumpTrigger(Exception):
    """A trigger is process_exit, mark_step or metric_change."""


class _Format(enum.Enum):
    JSON = "json"
    TEXT = "text"


class _Metric:
    """Counts from its start, or the last reset, to its stop."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._recording = Recording(cut=False)

    def stats(self) -> list[tuple[str, Any]]:
        return list(_STATS[self.name](self._recording).items())

    def reset(self) -> None:
        self._recording.begin()

    def start(self) -> None:
        self._recording.begin()

    def stop(self) -> None:
        self._recording.end()


def metric_global(name: str) -> _Metric:
    """The one of the process. Raises MetricNotFound."""
    _check(name)
    return _globals[name]


@contextmanager
def metric_localcontext(name: str) -> Iterator[_Metric]:
    """One for the length of a ``with``. Raises MetricNotFound."""
    _check(name)
    metric = _Metric(name)
    try:
        yield metric
    finally:
        metric.stop()


def metrics_dump(file_name: str, format: _Format | str = _Format.JSON) -> None:
    """Write all metrics. Raises InvalidMetricDumpFileFormat."""
    try:
        style = _Format(format)
    except ValueError:
        raise InvalidMetricDumpFileFormat(f"{format}: a dump is json or text") from None
    stats = {name: dict(_globals[name].stats()) for name in _names()}
    if style is _Format.JSON:
        text = json.dumps(stats, indent=2)
    else:
        text = "\n".join(f"{name}: {values}" for name, values in stats.items())
    Path(file_name).write_text(f"{text}\n", encoding="utf-8")


def _graph_compilation(recording: Recording) -> dict[str, Any]:
    return {"TotalNumber": recording.compilations, "TotalTime": 0, "AvgTime": 0}


def _cpu_fallback(recording: Recording) -> dict[str, Any]:
    counted = recording.ops
    noted = sorted({note.op for note in notes() if note.rule == "cpu-fallback"})
    calls = [(op, counted[op]) for op in noted if counted[op]]
    return {"TotalNumber": sum(count for _, count in calls), "FallbackOps": calls}


def _memory_defragmentation(recording: Recording) -> dict[str, Any]:
    return dict.fromkeys(("TotalNumber", "TotalSuccessful", "AvgTime", "MaxTime"), 0)


def _recipe_cache(recording: Recording) -> dict[str, Any]:
    misses = recording.compilations
    hits = recording.launches - misses
    return {"TotalHit": hits, "RecipeHit": [], "TotalMiss": misses, "RecipeMiss": []}


_STATS: dict[str, Callable[[Recording], dict[str, Any]]] = {
    "graph_compilation": _graph_compilation,
    "cpu_fallback": _cpu_fallback,
    "memory_defragmentation": _memory_defragmentation,
    "recipe_cache": _recipe_cache,
}


def _check(name: str) -> None:
    if name not in _names():
        raise MetricNotFound(f"{name}: the metrics are {', '.join(_names())}")


def _names() -> list[str]:
    has_cache = os.environ.get("PT_HPU_ENABLE_CACHE_METRICS") == "1"
    return [name for name in _STATS if name != "recipe_cache" or has_cache]


_globals = {name: _Metric(name) for name in _STATS}
