"""One rule: a row of ``rules/*.toml``."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from porter.findings import Effort, Verdict
from porter.table import Table

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
        identifier = Table(row, f"{where}: [[rule]]").text("id")
        table = Table(row, f"{where}: rule {identifier}").only(*_keys(cls), *RESERVED_TARGETS)
        rule = cls(
            id=identifier,
            title=table.text("title"),
            verdict=table.choice("verdict", Verdict),
            effort=table.choice("effort", Effort),
            note=" ".join(table.text("note").split()),
            source=table.texts("source"),
            match=table.texts("match"),
            replacement=table.optional_text("replacement"),
            arguments=_arguments(table.table("arguments")),
            remove=table.flag("remove"),
            since=table.optional_text("since"),
            valid=table.texts("valid"),
            invalid=tuple(_example(example) for example in table.rows("invalid")),
        )
        _require(_ID.fullmatch(rule.id), table, "id is HPUnnn")
        _require(rule.source, table, "name at least one source")
        _require(rule.invalid, table, "give at least one example that it matches")
        _require(not (rule.remove and rule.replacement), table, "remove and replacement exclude")
        return rule


def _arguments(table: Table) -> Arguments:
    table.only(*_keys(Arguments))
    return Arguments(
        parameters=table.texts("parameters"),
        drop=table.texts("drop"),
        drop_all=table.flag("drop_all"),
        refuse=table.texts("refuse"),
        prepend=table.optional_text("prepend"),
    )


def _example(table: Table) -> Example:
    table.only(*_keys(Example))
    return Example(
        code=table.text("code"),
        after=table.optional_text("after"),
        native=table.texts("native"),
        routes=table.table("routes").strings(),
        implemented=table.texts("implemented"),
        cuda_only=table.texts("cuda_only"),
    )


def _keys(kind: type[Rule | Arguments | Example]) -> list[str]:
    return [known.name for known in fields(kind)]


def _require(condition: object, table: Table, cure: str) -> None:
    if not condition:
        raise table.error(cure)
