"""Rewriting one snippet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from porter.codemods.engine import analyse_text
from porter.codemods.options import Options
from porter.findings import FileResult, apply_edits
from porter.rulebook import default_rulebook

Analyse = Callable[..., FileResult]
Rewrite = Callable[..., str]


@pytest.fixture
def analyse() -> Analyse:
    """Findings and edits of a module; options are those of a recipe."""

    def run(
        code: str, *, path: str = "pkg/m.py", native: tuple[str, ...] = (), **options: Any
    ) -> FileResult:
        options.setdefault("add_imports", False)
        return analyse_text(path, code, default_rulebook(), Options(**options), native)

    return run


@pytest.fixture
def rewrite(analyse: Analyse) -> Rewrite:
    """The text that a module becomes."""

    def run(code: str, **options: Any) -> str:
        return apply_edits(code, analyse(code, **options).edits)

    return run
