"""The ladder of checks, from reading the package to serving a model with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any

from rich.text import Text

from porter.errors import PorterError
from porter.progress import Progress
from porter.sources.resolve import open_source
from porter.sources.tree import SourceTree
from porter.validate import contract, imports, run, static
from porter.validate.rung import Outcome, Status

_SHOWN_FAILURES = 20
_NOTE = 200  # characters
_STYLES = {Status.PASSED: "green", Status.FAILED: "bold red", Status.NOT_RUN: "yellow"}
_CAVEAT = "A green ladder is not a Gaudi card: nothing here ran on one."

Check = Callable[[SourceTree, Progress | None], Outcome]


@dataclass(frozen=True)
class Rung:
    """``does_not_prove`` ends the sentence "This rung does not prove ..."."""

    name: str
    does_not_prove: str
    check: Check | None = None


RUNGS = (
    Rung("static", "that the code runs, or computes the right numbers", static.check),
    Rung("import", "that anything works once it is called", imports.check),
    Rung(
        "contract",
        "that the methods do what their names and signatures promise",
        contract.check,
    ),
    Rung(
        "run",
        "speed, numbers that a card rounds in another way, or how many graphs its compiler makes: "
        "the emulated device is no Gaudi",
        run.check,
    ),
    Rung("serve", "that it serves on a real card, or how fast"),
)
NAMES = tuple(rung.name for rung in RUNGS)
DEFAULT_TOP = "run"


@dataclass(frozen=True)
class Ladder:
    """What each rung says, in climbing order; ``label`` is what was validated."""

    label: str
    outcomes: Mapping[str, Outcome]

    @property
    def failed(self) -> bool:
        return any(outcome.status is Status.FAILED for outcome in self.outcomes.values())

    def document(self) -> dict[str, Any]:
        """The ladder as JSON data, after ``ladder.schema.json``."""
        return {
            "rungs": [
                {
                    "name": name,
                    "status": outcome.status.value,
                    "detail": outcome.summary,
                    "failures": [str(failure) for failure in outcome.failures],
                    "notes": list(outcome.notes),
                }
                for name, outcome in self.outcomes.items()
            ]
        }

    def text(self) -> Text:
        """The ladder for a terminal; what is long is cut, which JSON never is."""
        lines = [Text(self.label, "bold")]
        for rung in RUNGS:
            lines += _lines(rung, self.outcomes[rung.name])
        return Text("\n").join([*lines, Text(_CAVEAT, "italic")])


def climb(
    source: SourceTree | Path | str, top: str = DEFAULT_TOP, progress: Progress | None = None
) -> Ladder:
    """Climb from the bottom up to the rung ``top``; a failed rung ends the climb.

    Raises PorterError for a source that cannot be opened and a rung that does not exist.
    """
    if top not in NAMES:
        raise PorterError(f"{top}: no such rung; the ladder has {', '.join(NAMES)}")
    tree = source if isinstance(source, SourceTree) else open_source(str(source))
    outcomes: dict[str, Outcome] = {}
    failed: str | None = None
    for rung in RUNGS:
        outcome = _climb(rung, tree, top, failed, progress)
        outcomes[rung.name] = outcome
        if outcome.status is Status.FAILED:
            failed = rung.name
    return Ladder(tree.label, outcomes)


def _climb(
    rung: Rung, tree: SourceTree, top: str, failed: str | None, progress: Progress | None
) -> Outcome:
    if NAMES.index(rung.name) > NAMES.index(top):
        return Outcome(Status.NOT_RUN, f"not asked for: --level {top} ends below it")
    if failed is not None:
        return Outcome(Status.NOT_RUN, f"the rung {failed} failed")
    if rung.check is None:
        return Outcome(Status.NOT_RUN, "porter cannot run this rung yet")
    return rung.check(tree, progress)


def _lines(rung: Rung, outcome: Outcome) -> list[Text]:
    head = Text.assemble(
        (f"{outcome.status.value:<8}", _STYLES[outcome.status]), f"{rung.name:<9}", outcome.summary
    )
    shown = [*map(str, outcome.failures[:_SHOWN_FAILURES])]
    if hidden := len(outcome.failures) - len(shown):
        shown.append(f"... and {hidden} more (--format json lists all)")
    notes = [
        shorten(note, _NOTE, placeholder=" ... (--format json lists all)") for note in outcome.notes
    ]
    details = [Text(f"  {line}") for line in (*shown, *notes)]
    return [head, *details, Text(f"  does not prove {rung.does_not_prove}", "dim")]
