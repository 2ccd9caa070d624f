"""What the run rung runs of a ported package, and what that may take: ``[[run]]``, ``[budget]``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.specifiers import SpecifierSet

from porter.table import Table

_WAYS = ("store", "load")
#: What a prompt may take one way; and all prompts of random lengths.
_OF_ONE = ("syncs", "launches", "bytes")
_OF_MANY = ("graphs", "padding")
_KEYS = ("tokens", "kv", "prompts", *_OF_ONE)
_ENTRY = re.compile(r"[^\W\d]\w*:[^\W\d]\w*")
FOLDER = "runs"


@dataclass(frozen=True)
class Prompts:
    """``count`` prompts of 1 to ``longest`` tokens."""

    count: int
    longest: int
    kv: Mapping[str, int]


@dataclass(frozen=True)
class Budget:
    """``tokens`` of the one prompt, ``kv`` what the caches are like.

    ``limits`` are those of each way, ``store`` and ``load``, by measure.
    """

    tokens: int
    kv: Mapping[str, int]
    limits: Mapping[str, Mapping[str, float]]
    prompts: Prompts | None = None


@dataclass(frozen=True)
class Run:
    """``entry`` is ``module:function`` of the folder ``runs`` beside the recipe."""

    versions: SpecifierSet
    name: str
    entry: str
    budget: Budget
    folder: Path

    @classmethod
    def of(cls, row: Table, shared: Mapping[str, Any], recipe: Path) -> Run:
        """The row ``[[run]]``; what its own budget leaves open is that of ``shared``.

        Raises PorterError for an unknown key, a missing file, and a value of the wrong kind.
        """
        row.only("versions", "name", "entry", "budget")
        entry, folder = row.text("entry"), recipe.parent / FOLDER
        if not _ENTRY.fullmatch(entry):
            raise row.error(f"entry must be written as module:function, not {entry!r}")
        file = folder / f"{entry.partition(':')[0]}.py"
        if not file.is_file():
            raise row.error(f"{file} is no file; write it or correct entry")
        own = row.table("budget")
        return cls(
            versions=row.specifier("versions", ""),
            name=row.text("name"),
            entry=entry,
            budget=_budget(Table(_merged(shared, own.free()), own.place)),
            folder=folder,
        )

    def files(self) -> dict[str, bytes]:
        """The modules of the folder by their paths in it."""
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in sorted(self.folder.rglob("*.py"))
        }

    def document(self) -> dict[str, Any]:
        """As ``run.schema.json`` says."""
        budget, prompts = self.budget, self.budget.prompts
        return {
            "name": self.name,
            "entry": self.entry,
            "prompt": {"tokens": budget.tokens, "kv": dict(budget.kv)},
            "prompts": prompts
            and {"count": prompts.count, "longest": prompts.longest, "kv": dict(prompts.kv)},
            "limits": {way: dict(limits) for way, limits in budget.limits.items()},
        }


def shared_budget(table: Table) -> dict[str, Any]:
    """``[budget]``, which a row completes. Raises PorterError for an unknown key."""
    return table.only(*_KEYS).free()


def _budget(table: Table) -> Budget:
    table.only(*_KEYS)
    kv = table.table("kv").numbers()
    limits: dict[str, dict[str, float]] = {way: {} for way in _WAYS}
    _limit(table, _OF_ONE, limits)
    prompts = None
    if table.has("prompts"):
        many = table.table("prompts").only("count", "longest", "kv", *_OF_MANY)
        # What is not said of their caches is as for the one prompt.
        others = {**kv, **many.table("kv").numbers()}
        prompts = Prompts(many.number("count"), many.number("longest"), others)
        _limit(many, _OF_MANY, limits)
    return Budget(table.number("tokens"), kv, limits, prompts)


def _limit(table: Table, measures: tuple[str, ...], limits: dict[str, dict[str, float]]) -> None:
    """Add what ``table`` allows of ``measures``: a number, or one for each way."""
    given = table.free()
    for measure in measures:
        if isinstance(given.get(measure), Mapping):
            ways = table.table(measure).only(*_WAYS)
            for way in ways.free():
                limits[way][measure] = ways.limit(way)
        elif table.has(measure):
            for way in _WAYS:
                limits[way][measure] = table.limit(measure)


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    return {**below, **{key: _over(below.get(key), value) for key, value in above.items()}}


def _over(below: Any, above: Any) -> Any:
    both = isinstance(below, Mapping) and isinstance(above, Mapping)
    return _merged(below, above) if both else above
