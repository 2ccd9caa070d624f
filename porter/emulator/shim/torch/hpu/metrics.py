"""The bridge's metrics, by their names. Nothing is compiled here, so they all stand at zero."""

from __future__ import annotations

import enum
import json
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_TAGS = {
    "graph_compilation": ("TotalNumber", "TotalTime", "AvgTime"),
    "cpu_fallback": ("TotalNumber", "FallbackOps"),
    "memory_defragmentation": ("TotalNumber", "TotalSuccessful", "AvgTime", "MaxTime"),
    "recipe_cache": ("TotalHit", "RecipeHit", "TotalMiss", "RecipeMiss"),
}
_LISTS = {"FallbackOps", "RecipeHit", "RecipeMiss"}


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
    def __init__(self, name: str) -> None:
        self.name = name

    def stats(self) -> list[tuple[str, Any]]:
        warnings.warn(
            f"{self.name}: the emulator compiles no graphs, its metrics stand at zero",
            RuntimeWarning,
            stacklevel=2,
        )
        return _zero(self.name)

    def reset(self) -> None:
        """Zero it is."""

    def start(self) -> None:
        """There is nothing to count."""

    def stop(self) -> None:
        """There is nothing to count."""


def metric_global(name: str) -> _Metric:
    """Raises MetricNotFound."""
    if name not in _names():
        raise MetricNotFound(f"{name}: the metrics are {', '.join(_names())}")
    return _Metric(name)


@contextmanager
def metric_localcontext(name: str) -> Iterator[_Metric]:
    yield metric_global(name)


def metrics_dump(file_name: str, format: _Format | str = _Format.JSON) -> None:
    """Write all metrics. Raises InvalidMetricDumpFileFormat."""
    try:
        style = _Format(format)
    except ValueError:
        raise InvalidMetricDumpFileFormat(f"{format}: a dump is json or text") from None
    stats = {name: dict(_zero(name)) for name in _names()}
    if style is _Format.JSON:
        text = json.dumps(stats, indent=2)
    else:
        text = "\n".join(f"{name}: {values}" for name, values in stats.items())
    Path(file_name).write_text(f"{text}\n", encoding="utf-8")


def _names() -> list[str]:
    has_cache = os.environ.get("PT_HPU_ENABLE_CACHE_METRICS") == "1"
    return [name for name in _TAGS if name != "recipe_cache" or has_cache]


def _zero(name: str) -> list[tuple[str, Any]]:
    return [(tag, [] if tag in _LISTS else 0) for tag in _TAGS[name]]
