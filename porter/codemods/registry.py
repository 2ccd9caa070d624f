"""Codemods register themselves; adding a behaviour is adding a file to ``families/``."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache

from porter.codemods import families
from porter.codemods.context import Context, Decision
from porter.scan.construct import Construct, Kind

Codemod = Callable[[Construct, Context], Decision | None]

_BY_KEY: dict[str, Codemod] = {}
_BY_KIND: dict[Kind, Codemod] = {}


def decides(*subjects: str | Kind) -> Callable[[Codemod], Codemod]:
    """Register a codemod for constructs of a kind, or, first asked, for those with a key."""

    def register(codemod: Codemod) -> Codemod:
        for subject in subjects:
            if isinstance(subject, Kind):
                _BY_KIND[subject] = codemod
            else:
                _BY_KEY[subject] = codemod
        return codemod

    return register


def decide(construct: Construct, context: Context) -> Decision | None:
    """Ask the codemod in charge. None leaves the construct unaccounted for."""
    load_families()
    special = _BY_KEY.get(construct.key)
    decision = special(construct, context) if special else None
    if decision is None and construct.kind in _BY_KIND:
        decision = _BY_KIND[construct.kind](construct, context)
    return decision


@cache
def load_families() -> None:
    for module in pkgutil.iter_modules(families.__path__):
        importlib.import_module(f"{families.__name__}.{module.name}")
