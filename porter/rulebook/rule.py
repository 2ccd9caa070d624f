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
    ``implemented`` and ``cuda_only`` are what a recipe would say about it. ``path``
    is the file that it stands in.
    """

    code: str
    after: str | None = None
    native: tuple[str, ...] = ()
    routes: Mapping[str, str] = field(default_factory=dict)
    implemented: tuple[str, ...] = ()
    cuda_only: tuple[str, ...] = ()
    path: str = "example.py"


@dataclass(frozen=True)
class Arguments:
    """What happens to the arguments of a call whose callee is renamed.

    ``parameters`` are the names of the CUDA signature, in order, so that a
    positional argument can be told from another. ``drop`` names parameters that
    HPU lacks; ``drop_all`` empties the parentheses. A call that gives one of
    ``refuse`` is reported and left alone. ``prepend`` is source text that
    becomes the first argument, ``append`` one that becomes the last. A rule with
    ``given``, ``lacking`` or ``values`` is about some calls only: those that give
    one of the first, none of the second, or one of the last as one of its texts.
    """

    parameters: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    drop_all: bool = False
    refuse: tuple[str, ...] = ()
    prepend: str | None = None
    append: str | None = None
    given: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def unchanged(self) -> bool:
        return not (self.drop or self.drop_all or self.refuse or self.prepend or self.append)

    def suits(self, call: ast.Call | None) -> bool:
        """Whether a call's arguments may stay as they are."""
        if call is None or self.unchanged:
            return True
        added = self.prepend or self.append
        return added is None and not (call.args or call.keywords)

    def concern(self, call: ast.Call | None) -> bool:
        """Whether the rule is about this use. What ``*`` and ``**`` unpack is not seen."""
        if not (self.given or self.lacking or self.values):
            return True
        if call is None:
            return bool(self.lacking)
        given = {
            name: value for name, value in self.given_by(call).items() if not is_nothing(value)
        }
        return (
            any(name in given for name in self.given)
            or any(_text(given.get(name)) in texts for name, texts in self.values.items())
            or bool(self.lacking and not given.keys() & {*self.lacking})
        )

    def given_by(self, call: ast.Call) -> dict[str, ast.expr]:
        """What a call gives by parameter."""
        given = dict(zip(self.parameters, call.args, strict=False))
        return given | {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}


def is_nothing(value: ast.expr | None) -> bool:
    """Whether an argument is absent, or asks for what its absence does."""
    return value is None or (
        isinstance(value, ast.Constant) and (value.value is None or value.value is False)
    )


@dataclass(frozen=True)
class Rule:
    """``match`` are dotted names; a trailing ``.*`` stands for everything below.

    A rule without ``match`` belongs to the codemod that names it. ``remove``
    deletes the statement that the call forms. A ``neutral`` name is not CUDA's
    own: it is edited only where its file has something of CUDA's, and elsewhere
    reported. ``since`` is the release of the Gaudi software the source speaks of.
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
    neutral: bool = False
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
            neutral=table.flag("neutral"),
            since=table.optional_text("since"),
            valid=table.texts("valid"),
            invalid=tuple(_example(example) for example in table.rows("invalid")),
        )
        _require(_ID.fullmatch(rule.id), table, "id is HPUnnn")
        _require(rule.source, table, "name at least one source")
        _require(rule.invalid, table, "give at least one example that it matches")
        _require(not (rule.remove and rule.replacement), table, "remove and replacement exclude")
        return rule


def _text(value: ast.expr | None) -> str | None:
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return value.value
    return None


def _arguments(table: Table) -> Arguments:
    table.only(*_keys(Arguments))
    values = table.table("values")
    return Arguments(
        parameters=table.texts("parameters"),
        drop=table.texts("drop"),
        drop_all=table.flag("drop_all"),
        refuse=table.texts("refuse"),
        prepend=table.optional_text("prepend"),
        append=table.optional_text("append"),
        given=table.texts("given"),
        lacking=table.texts("lacking"),
        values={name: values.texts(name) for name in values.free()},
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
        path=table.optional_text("path") or "example.py",
    )


def _keys(kind: type[Rule | Arguments | Example]) -> list[str]:
    return [known.name for known in fields(kind)]


def _require(condition: object, table: Table, cure: str) -> None:
    if not condition:
        raise table.error(cure)
