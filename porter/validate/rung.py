"""What one rung of the ladder says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Status(str, Enum):
    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not run"


@dataclass(frozen=True, order=True)
class Failure:
    """One thing that is wrong at one place, and what to do about it."""

    path: str
    line: int
    what: str
    cure: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}; {self.cure}"


@dataclass(frozen=True)
class Outcome:
    """``notes`` are worth knowing and fail nothing."""

    status: Status
    summary: str
    failures: tuple[Failure, ...] = ()
    notes: tuple[str, ...] = ()
