"""Run the scanner and all codemods over a source tree."""

from __future__ import annotations

from collections.abc import Callable

from porter.codemods.options import Options
from porter.findings import FileResult, Result
from porter.rulebook import Rulebook
from porter.sources.tree import SourceTree

Progress = Callable[[int, int], None]


def analyse(
    tree: SourceTree,
    book: Rulebook,
    options: Options = Options(),
    *,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> Result:
    """Findings and edits of every Python file of ``tree``; nothing is written.

    ``jobs`` is the number of processes (None: one a core for a large tree);
    ``progress`` is called with the number of files done and their total.
    """
    raise NotImplementedError


def analyse_text(path: str, text: str, book: Rulebook, options: Options = Options()) -> FileResult:
    """Findings and edits of one decoded module."""
    raise NotImplementedError
