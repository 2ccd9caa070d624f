"""``--selection``, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click

from porter.codemods.options import Options
from porter.findings import Result
from porter.selection import Choice, Selection, load_selection
from porter.wording import plural


def selection_file(purpose: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """``--selection``, passed as what the file says."""
    return click.option(
        "--selection",
        metavar="FILE",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        callback=_load,
        help=purpose,
    )


def _load(_context: click.Context, _option: click.Parameter, path: Path | None) -> Selection | None:
    return None if path is None else load_selection(path)


def told_by(selection: Selection | None) -> Options | None:
    """What an analysis has to go by so that it finds the hunks of the review, and edits those."""
    if selection is None:
        return None
    return replace(Options.of_selection(selection), selection=selection)


def applied_text(selection: Selection, result: Result) -> str:
    """How many hunks of a rewritten ``result`` were applied, and why the others were not."""
    applied = {finding.hunk for finding in result.findings() if finding.after is not None}
    withheld = Counter(_reason(selection, hunk) for file in result.files for hunk in file.withheld)
    gone = selection.accepted() - applied
    parts = [f"{plural(len(applied), 'hunk')} of the review applied"]
    parts += [f"{count} {reason}" for reason, count in sorted(withheld.items())]
    text = ", ".join(parts)
    if not gone:
        return text
    missing = plural(len(gone), "accepted hunk")
    return f"{text}; {missing} not found: the source is not the one reviewed"


def _reason(selection: Selection, hunk: str) -> str:
    decided = selection.decisions.get(hunk)
    if decided is None:
        return "not in the review and left"
    return "refused" if decided.choice is Choice.REFUSED else "undecided and left"
