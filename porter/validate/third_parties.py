"""What the modules of a package import of others while they are imported, by their text."""

from __future__ import annotations

import ast
import sys
import warnings
from collections.abc import Collection, Iterable, Iterator

# The bridge is what a module must import by itself, and torch is there.
_NOT_THIRD = frozenset({*sys.stdlib_module_names, "torch", "habana_frameworks"})


def third_parties(texts: Iterable[str], own: Collection[str]) -> list[str]:
    """Statements ``import a.b`` and ``from a import b``, each once, as they are met.

    ``own`` are the package's top-level names. What stands in a function or below an ``if`` is
    left out: whether it is imported is open. So is a text that is no Python.
    """
    found = {
        statement: None
        for text in texts
        for node in _at_import(_body(text))
        for top, statement in _single(node)
        if top not in own and top not in _NOT_THIRD
    }
    return list(found)


def top(statement: str) -> str:
    """The top-level name that one of them imports."""
    return statement.split()[1].partition(".")[0]


def _body(text: str) -> list[ast.stmt]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text).body
    except (SyntaxError, ValueError):
        return []


def _at_import(body: Iterable[ast.stmt]) -> Iterator[ast.Import | ast.ImportFrom]:
    for statement in body:
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            yield statement
        elif isinstance(statement, (ast.Try, ast.With, ast.ClassDef)):
            yield from _at_import(statement.body)


def _single(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    """The top-level name and a statement, for each name that is imported."""
    for alias in node.names:
        if isinstance(node, ast.Import):
            yield alias.name.partition(".")[0], f"import {alias.name}"
        elif node.module and not node.level:
            name = node.module if alias.name == "*" else f"{node.module} import {alias.name}"
            statement = f"import {name}" if alias.name == "*" else f"from {name}"
            yield node.module.partition(".")[0], statement
