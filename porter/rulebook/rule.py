"""One rule: a row of ``rules/*.toml``."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from porter.errors import PorterError
from porter.findings import Effort, Verdict

_ID = re.compile(r"HPU\d{3}")
RESERVED_TARGETS = frozenset({"xpu"})


@dataclass(frozen=True)
class Example:
    """A snippet that the rule matches, and what it becomes; ``after`` is None where it stays.

    ``native`` are the compiled modules that the snippet may import; ``routes``,
    ``implemented`` and ``cuda_only`` are what a recipe would say about it.
    """

    code: str
    after: str | None = None
    native: tuple[str, ...] = ()
    routes: Mapping[str, str] = field(default_factory=dict)
    implemented: tuple[str, ...] = ()
    cuda_only: tuple[str, ...] = ()


@dataclass(frozen=True)
class Arguments:
    """What happens to the arguments of a call whose callee is renamed.

    ``parameters`` are the names of the CUDA signature, in order, so that a
    positional argument can be told from another. ``drop`` names parameters that
    HPU lacks; ``drop_all`` empties the parentheses. A call that gives one of
    ``refuse`` is reported and left alone. ``prepend`` is source text that
    becomes the first argument.
    """

    parameters: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    drop_all: bool = False
    refuse: tuple[str, ...] = ()
    prepend: str | None = None

    @property
    def unchanged(self) -> bool:
        return not (self.drop or self.drop_all or self.refuse or self.prepend)

    def suits(self, call: ast.Call | None) -> bool:
        """Whether a call's arguments may stay as they are."""
        if call is None or self.unchanged:
            return True
        return self.prepend is None and not (call.args or call.keywords)


@dataclass(frozen=True)
class Rule:
    """``match`` are dotted names; a trailing ``.*`` stands for everything below.

    A rule without ``match`` belongs to the codemod that names it. ``remove``
    deletes the statement that the call forms. ``since`` is the release of the
    Gaudi software the source speaks of.
    """

    id: str
    title: str
    verdict: Verdict
    effort: Effort
    note: str
    source: tuple[str, ...]
    match: tuple[str, ...] = ()
    replacement: str | None = None
    arguments: Arguments = Arguments()
    remove: bool = False
    since: str | None = None
    valid: tuple[str, ...] = ()
    invalid: tuple[Example, ...] = ()

    @property
    def url(self) -> str:
        return f"docs/rules/{self.id}.md"

    @property
    def family(self) -> str:
        return self.id[:4]

    @classmethod
    def parse(cls, row: Mapping[str, Any], where: str) -> Rule:
        """Check one TOML row. Raises PorterError that names the file, the rule and the cure."""
        identifier = row.get("id", "?")
        place = f"{where}: rule {identifier}"
        _require(isinstance(identifier, str) and _ID.fullmatch(identifier), place, "id is HPUnnn")
        unknown = set(row) - {known.name for known in fields(cls)} - RESERVED_TARGETS
        _require(not unknown, place, f"unknown keys: {', '.join(sorted(unknown))}")
        missing = {"title", "verdict", "effort", "note", "source", "invalid"} - set(row)
        _require(not missing, place, f"add {', '.join(sorted(missing))}")
        try:
            verdict, effort = Verdict(row["verdict"]), Effort(row["effort"])
            arguments = Arguments(**_tuples(row.get("arguments", {})))
            invalid = tuple(Example(**_tuples(item)) for item in row["invalid"])
        except (ValueError, TypeError, KeyError) as error:
            raise PorterError(f"{place}: {error}") from error
        rule = cls(
            id=identifier,
            title=row["title"],
            verdict=verdict,
            effort=effort,
            note=" ".join(row["note"].split()),
            source=tuple(row["source"]),
            match=tuple(row.get("match", ())),
            replacement=row.get("replacement"),
            arguments=arguments,
            remove=row.get("remove", False),
            since=row.get("since"),
            valid=tuple(row.get("valid", ())),
            invalid=invalid,
        )
        _require(bool(rule.source), place, "name at least one source")
        _require(bool(rule.invalid), place, "give at least one example that it matches")
        _require(not (rule.remove and rule.replacement), place, "remove and replacement exclude")
        return rule


def _require(condition: object, place: str, cure: str) -> None:
    if not condition:
        raise PorterError(f"{place}: {cure}")


def _tuples(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
