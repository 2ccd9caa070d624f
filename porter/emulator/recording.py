"""Counts of what ran on the device: graphs, waits, copies, ops, memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from porter.emulator.build import load
from porter.emulator.sanitizer import Report, everything

DIRECTIONS = ("h2d", "d2h", "d2d")


@dataclass(frozen=True)
class Copies:
    """How many, and how many bytes in all."""

    count: int
    bytes: int


class Recording:
    """What happened since it began and, once it has ended, until then.

    A graph is what lazy mode collects between two cuts; in eager mode it is one op. It is known
    by its ops, the order of their operands, dtypes, shapes and strides: whether two are the same
    can be trusted, how Gaudi's compiler would count them cannot. The threads of the process are
    counted together.
    """

    def __init__(self, cut: bool = True) -> None:
        """``cut``: its beginning and its end cut the graph, so that it holds whole ones."""
        self._device = load()
        self._cut = cut
        self.begin()

    def begin(self) -> None:
        """Start again from nothing."""
        self.abandon()
        self._cut_graph()
        _fold_peaks()
        self._peak = 0
        _open.append(self)
        self._before = self._device.counts()
        self._found_before = _occurrences()
        self._after: Mapping[str, Any] | None = None
        self._found: list[Report] = []

    def end(self) -> None:
        """Stop counting."""
        if self._after is None:
            self._cut_graph()
            self._found = self._new_reports()
            self._after = self._device.counts()
            _fold_peaks()
            _open.remove(self)

    def abandon(self) -> None:
        """Stop without a last look: for a fork, where the counts are the parent's."""
        if self in _open:
            _open.remove(self)

    @property
    def graphs(self) -> int:
        """Distinct graphs."""
        return len(self.graph_keys)

    @property
    def graphs_with_offsets(self) -> int:
        """Distinct graphs where storage offsets and numbers among the arguments count too."""
        return len(self.graph_keys_with_offsets)

    @property
    def graph_keys(self) -> frozenset[Any]:
        """What tells the graphs apart, in this process: to count those of several recordings."""
        return frozenset(self._difference("graphs"))

    @property
    def graph_keys_with_offsets(self) -> frozenset[Any]:
        """As above, for ``graphs_with_offsets``."""
        return frozenset(self._difference("graphs_with_offsets"))

    @property
    def compilations(self) -> int:
        """Distinct graphs that the process had not launched before."""
        return len(self._now()["graphs"].keys() - self._before["graphs"].keys())

    @property
    def launches(self) -> int:
        return self.flushes.total()

    @property
    def flushes(self) -> Counter[str]:
        """Launches by what cut the graph."""
        return self._difference("flushes")

    @property
    def syncs(self) -> int:
        """How often the host waited for the device."""
        return self.waits.total()

    @property
    def waits(self) -> Counter[str]:
        """Waits of the host by what waited: a synchronize, an event, a copy, an op."""
        return self._difference("syncs")

    @property
    def ops(self) -> Counter[str]:
        """Calls by the name of the op with its overload."""
        return self._difference("ops")

    @property
    def copies(self) -> dict[str, Copies]:
        """By direction: h2d, d2h, d2d."""
        before, after = self._before["copies"], self._now()["copies"]
        return {
            name: Copies(after[name][0] - before[name][0], after[name][1] - before[name][1])
            for name in DIRECTIONS
        }

    @property
    def peak_bytes(self) -> int:
        """The most that was allocated at once; what was there before counts."""
        if self._after is None:
            _fold_peaks()
        return self._peak

    @property
    def reports(self) -> list[Report]:
        return [report for report in self._all_reports() if not report.note]

    @property
    def notes(self) -> list[Report]:
        return [report for report in self._all_reports() if report.note]

    def as_dict(self) -> dict[str, Any]:
        """As ``porter emulate --report`` writes it."""
        return {
            "reports": [report.as_json() for report in self.reports],
            "notes": [report.as_json() for report in self.notes],
            "graphs": {
                "distinct": self.graphs,
                "distinct_with_offsets": self.graphs_with_offsets,
            },
            "launches": self.launches,
            "flushes": dict(self.flushes),
            "syncs": self.syncs,
            "waits": dict(self.waits),
            "copies": [
                {"direction": name, "count": copies.count, "bytes": copies.bytes}
                for name, copies in self.copies.items()
            ],
            "ops": dict(self.ops),
            "peak_bytes": self.peak_bytes,
        }

    def _cut_graph(self) -> None:
        if self._cut:
            self._device.flush_graph("recording")

    def _now(self) -> Mapping[str, Any]:
        return self._device.counts() if self._after is None else self._after

    def _difference(self, name: str) -> Counter[Any]:
        return Counter(self._now()[name]) - Counter(self._before[name])

    def _all_reports(self) -> list[Report]:
        return self._new_reports() if self._after is None else self._found

    def _new_reports(self) -> list[Report]:
        return [
            report for report in everything() if report.count > self._found_before[_key(report)]
        ]


@contextmanager
def record() -> Iterator[Recording]:
    """Count what runs on the device within the ``with``, in all threads."""
    recording = Recording()
    try:
        yield recording
    finally:
        recording.end()


_open: list[Recording] = []


def _fold_peaks() -> None:
    peak = load().restart_peak()
    for recording in _open:
        recording._peak = max(recording._peak, peak)


def _key(report: Report) -> tuple[str, str, str, int]:
    return report.rule, report.op, report.file, report.line


def _occurrences() -> Counter[tuple[str, str, str, int]]:
    return Counter({_key(report): report.count for report in everything()})
