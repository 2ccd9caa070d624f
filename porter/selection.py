"""What a reviewer decided of each hunk: the file that the review page exports.

The contract is ``report/selection.schema.json``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from porter.errors import PorterError
from porter.table import Table

SCHEMA_VERSION = 1


class Choice(str, Enum):
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNDECIDED = "undecided"


class Rest(str, Enum):
    """What becomes of hunks that the reviewer saw and did not decide."""

    APPLY = "apply"
    LEAVE = "leave"


@dataclass(frozen=True)
class Decided:
    """``changes`` is False for a place that porter reports and leaves as it is."""

    choice: Choice
    note: str = ""
    changes: bool = True


@dataclass(frozen=True)
class Selection:
    """Decisions by the id of their hunk, which its content makes (``Finding.hunk``).

    ``options`` is what the review's run was told, as ``Options.document`` gives it;
    unchecked.
    """

    decisions: Mapping[str, Decided]
    rest: Rest
    options: Table

    def accepted(self) -> set[str]:
        """The hunks with a change that was accepted outright."""
        return {
            hunk
            for hunk, decided in self.decisions.items()
            if decided.changes and decided.choice is Choice.ACCEPTED
        }

    def applies(self, hunk: str) -> bool:
        """Whether a hunk goes in: it was seen, and accepted or left to ``rest``."""
        decided = self.decisions.get(hunk)
        if decided is None or decided.choice is Choice.REFUSED:
            return False
        return decided.choice is Choice.ACCEPTED or self.rest is Rest.APPLY


def load_selection(path: Path) -> Selection:
    """Raises PorterError, naming the file and the place, for what is no selection."""
    try:
        table = Table(json.loads(path.read_bytes()), str(path))
    except (ValueError, RecursionError) as error:
        raise PorterError(
            f"{path}: no JSON ({error}); export the selection from the review page again"
        ) from error
    version = table.number("schema_version")
    if version != SCHEMA_VERSION:
        raise table.error(
            f"schema_version is {version}, this porter reads {SCHEMA_VERSION}; "
            "review again, and give `porter review --selection` none"
        )
    return Selection(
        decisions={
            row.text("hunk"): Decided(
                row.choice("decision", Choice), row.text("note", ""), row.flag("changes")
            )
            for row in table.rows("decisions")
        },
        rest=table.choice("undecided", Rest),
        options=table.table("options"),
    )
