"""How loud a finding is for tools that know three levels."""

from __future__ import annotations

from enum import Enum

from porter.findings import Verdict


class Level(str, Enum):
    """``NOTICE`` is called a note in SARIF."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


LEVELS = {
    Verdict.EXACT: Level.NOTICE,
    Verdict.MODIFIED: Level.WARNING,
    Verdict.NO_OP: Level.NOTICE,
    Verdict.REVIEW: Level.WARNING,
    Verdict.UNSUPPORTED: Level.ERROR,
}
