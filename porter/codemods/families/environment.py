"""Environment variables, decided by rows of the rulebook."""

from __future__ import annotations

import ast

from porter.codemods.context import Context, Decision
from porter.codemods.registry import decides
from porter.scan import Construct, Kind

UNKNOWN_VARIABLE = "HPU880"
_ENVIRON = frozenset({"os.environ", "os.getenv", "os.putenv", "os.unsetenv"})


@decides(Kind.ENVIRONMENT)
def environment(construct: Construct, context: Context) -> Decision:
    """A variable that the environment is asked for is renamed; any other mention is reported."""
    literal = construct.node
    assert isinstance(literal, ast.Constant)
    rule = context.book.lookup(construct.key) or context.book[UNKNOWN_VARIABLE]
    replacement = rule.replacement
    if replacement is None or not _is_asked_for(context, literal):
        return Decision.report(construct, rule, literal, detail=construct.name)
    text = context.module.segment(literal).replace(construct.name, replacement)
    return Decision(construct, rule, literal, edits=lambda: [context.replace(literal, text)])


def _is_asked_for(context: Context, literal: ast.Constant) -> bool:
    parent = context.module.parents[literal]
    owner: ast.AST | None = None
    if isinstance(parent, ast.Subscript):
        owner = parent.value
    elif isinstance(parent, ast.Call) and parent.args[:1] == [literal]:
        owner = parent.func
    elif isinstance(parent, ast.Compare) and parent.left is literal:
        owner = parent.comparators[0]
    name = context.resolver.dotted(owner) if owner is not None else None
    return name is not None and (name in _ENVIRON or name.rpartition(".")[0] in _ENVIRON)
