"""Rewrite import statements some of whose names move to another module."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import libcst as cst

from porter.codemods.context import Context
from porter.findings import Edit

_MODULE = re.compile(r"from\s+(?P<module>[\w.]+)\s+import\b")


def move(context: Context, alias: ast.alias, new: str) -> None:
    """Note that ``alias`` will refer to ``new``, under a name that fits where that is safe."""
    context.moved[alias] = new
    leaf = new.rpartition(".")[2]
    if alias.asname is None and alias.name == "cuda" and context.module.is_unused(leaf):
        context.renamed[alias] = leaf


def import_edits(context: Context, alias: ast.alias) -> Iterator[Edit]:
    """Edits for ``alias``; the first moved name of a ``from`` import carries them for all."""
    statement = context.module.parents[alias]
    if isinstance(statement, ast.Import):
        start, _ = context.module.span(alias)
        yield Edit(start, start + len(alias.name), context.moved[alias])
    elif isinstance(statement, ast.ImportFrom):
        moved = [other for other in statement.names if _moves(context, other)]
        if moved and moved[0] is alias:
            yield from _from_edits(context, statement, moved)


def _moves(context: Context, alias: ast.alias) -> bool:
    return alias in context.moved


def _from_edits(
    context: Context, statement: ast.ImportFrom, moved: list[ast.alias]
) -> Iterator[Edit]:
    modules = {context.moved[alias].rpartition(".")[0] for alias in moved}
    if modules == {statement.module}:
        yield from _alias_edits(context, moved)
    elif len(modules) == 1 and len(moved) == len(statement.names):
        start, _ = context.module.span(statement)
        match = _MODULE.match(context.module.segment(statement))
        assert match is not None
        first, last = match.span("module")
        yield Edit(start + first, start + last, modules.pop())
        yield from _alias_edits(context, moved)
    else:
        yield _split(context, statement, moved)


def _alias_edits(context: Context, moved: list[ast.alias]) -> Iterator[Edit]:
    for alias in moved:
        text = _alias_text(context, alias)
        if text != context.module.segment(alias):
            yield context.replace(alias, text)


def _alias_text(context: Context, alias: ast.alias) -> str:
    leaf = context.moved[alias].rpartition(".")[2]
    bound = context.renamed.get(alias) or alias.asname or alias.name
    return leaf if leaf == bound else f"{leaf} as {bound}"


def _split(context: Context, statement: ast.ImportFrom, moved: list[ast.alias]) -> Edit:
    """Take the moved names out of the statement and import them from their new modules."""
    module = context.module
    start, end = module.span(statement)
    indent = module.indent_of(start)
    joiner = "; " if indent.strip() else f"{module.newline}{indent}"
    lines = [
        f"from {context.moved[alias].rpartition('.')[0]} import {_alias_text(context, alias)}"
        for alias in moved
    ]
    if len(moved) < len(statement.names):
        lines.insert(0, _without(module.text[start:end], {alias.name for alias in moved}))
    return Edit(start, end, joiner.join(dict.fromkeys(lines)))


def _without(statement: str, names: set[str]) -> str:
    parsed = cst.parse_statement(statement)
    assert isinstance(parsed, cst.SimpleStatementLine)
    node = parsed.body[0]
    assert isinstance(node, cst.ImportFrom) and not isinstance(node.names, cst.ImportStar)
    kept = [alias for alias in node.names if alias.evaluated_name not in names]
    if not isinstance(kept[-1].comma, cst.MaybeSentinel) and not node.rpar:
        kept[-1] = kept[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
    return cst.Module([]).code_for_node(node.with_changes(names=kept))
