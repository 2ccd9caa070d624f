"""The ladder as the review page shows it."""

from __future__ import annotations

from porter.report.html import Rung
from porter.validate.ladder import RUNGS, Ladder

_NOT_CLIMBED = "reading a source runs nothing of it"


def page_rungs(ladder: Ladder | None = None) -> list[Rung]:
    """Every rung with its outcome, or all of them as not run where no ladder was climbed."""
    if ladder is None:
        return [Rung(rung.name, "not run", _NOT_CLIMBED, rung.does_not_prove) for rung in RUNGS]
    outcomes = ladder.outcomes
    return [
        Rung(
            rung.name,
            outcomes[rung.name].status.value,
            outcomes[rung.name].summary,
            rung.does_not_prove,
            tuple(map(str, outcomes[rung.name].failures)),
            outcomes[rung.name].notes,
        )
        for rung in RUNGS
    ]
