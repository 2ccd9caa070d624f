"""What the sanitizer found in this process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from porter.emulator.build import load
from porter.emulator.settings import current_settings


@dataclass(frozen=True)
class Report:
    """A fault at a line of the program, or (``note``) a place that wants a look.

    ``file`` is empty where the thread ran no Python of the program. ``count``: how often.
    """

    rule: str
    op: str
    message: str
    file: str
    line: int
    note: bool
    count: int

    @classmethod
    def of_json(cls, fields: dict[str, Any], note: bool = False) -> Report:
        known = {**fields, "file": fields["file"] or "", "line": fields["line"] or 0}
        return cls(**known, note=note)

    def as_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "message": self.message,
            "file": self.file or None,
            "line": self.line or None,
            "op": self.op,
            "count": self.count,
        }

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.file else ""
        times = f" ({self.count} times)" if self.count > 1 else ""
        return f"{place}{self.rule}: {self.message}{times}"


RULES = {
    "read-in-flight": "the host reads what a non_blocking copy from hpu has not delivered yet",
    "overwritten-in-flight": "the host writes what a non_blocking copy still reads or writes",
    "stream-race": "two streams touch the same bytes, one writes, and nothing orders them",
    "freed-in-flight": "memory is freed while another stream may still use it",
    "mixed-devices": "an op gets tensors of the CPU and of hpu",
    "index-out-of-range": "an index lies outside of the tensor it indexes",
    "int64-truncated": "an int64 value does not fit into the 32 bits of lazy mode",
    "address-before-flush": "the address of a tensor that ops not launched yet will write",
    "cuda-probe": "the program asks for CUDA, which answers no in silence",
    "cuda-call": "the program calls CUDA, which raises",
    "cpu-fallback": "an op or a dtype that the bridge does not list (always a note)",
}


def reports() -> list[Report]:
    """The faults so far, in the order they were found in; those of ignored rules left out."""
    return [report for report in everything() if not report.note]


def notes() -> list[Report]:
    """Places that want a look: likely CPU fallbacks, and CUDA probes of installed packages."""
    return [report for report in everything() if report.note]


def forget() -> None:
    """Start from nothing."""
    load().forget_reports()


def everything() -> list[Report]:
    ignored = current_settings().ignore
    found = (Report(*fields) for fields in load().reports())
    return [report for report in found if report.rule not in ignored]
