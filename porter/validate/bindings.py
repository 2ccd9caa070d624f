"""What the text of a module binds at its top level, without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field


@dataclass
class Bindings:
    """Names, each with the statement that binds it first, or None for one in a pattern.

    ``promised`` are those that only a type checker sees bound, where the module answers for
    names that it has not (``__getattr__``). ``stars`` are the statements that import whatever
    another module has.
    """

    names: dict[str, ast.stmt | None] = field(default_factory=dict)
    promised: frozenset[str] = frozenset()
    stars: list[ast.ImportFrom] = field(default_factory=list)


def bindings(tree: ast.Module) -> Bindings:
    found = Bindings()
    checked = Bindings()
    _read(tree.body, found, checked)
    if "__getattr__" in found.names:
        found.promised = frozenset(checked.names)
    return found


def _read(body: Iterable[ast.stmt], found: Bindings, checked: Bindings) -> None:
    for statement in body:
        if isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*":
            found.stars.append(statement)
        for name in _bound(statement, declares=found is checked):
            found.names.setdefault(name, statement)
        if isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test):
            _read(statement.body, checked, checked)
            _read(statement.orelse, found, checked)
        elif not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            _read(_below(statement), found, checked)


def _bound(statement: ast.stmt, *, declares: bool) -> Iterator[str]:
    """``declares``: an annotation without a value counts, too."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield statement.name
    elif isinstance(statement, ast.Import):
        for alias in statement.names:
            yield alias.asname or alias.name.partition(".")[0]
    elif isinstance(statement, ast.ImportFrom):
        yield from (alias.asname or alias.name for alias in statement.names if alias.name != "*")
    elif isinstance(statement, ast.AnnAssign):
        if (statement.value is not None or declares) and isinstance(statement.target, ast.Name):
            yield statement.target.id
    elif isinstance(statement, (ast.Assign, ast.For, ast.With)):
        for node in _targets(statement):
            yield from (item.id for item in ast.walk(node) if isinstance(item, ast.Name))


def _targets(statement: ast.Assign | ast.For | ast.With) -> Iterator[ast.expr]:
    if isinstance(statement, ast.Assign):
        # What stands below an attribute or an index is read, not bound.
        yield from (node for node in statement.targets if isinstance(node, _PATTERNS))
    elif isinstance(statement, ast.For):
        yield statement.target
    else:
        yield from (item.optional_vars for item in statement.items if item.optional_vars)


_PATTERNS = (ast.Name, ast.Tuple, ast.List)


def _below(statement: ast.stmt) -> Iterator[ast.stmt]:
    """The statements inside, which run in the module's own scope."""
    for node in ast.iter_child_nodes(statement):
        if isinstance(node, ast.stmt):
            yield node
        elif isinstance(node, (ast.ExceptHandler, ast.match_case)):
            yield from node.body
