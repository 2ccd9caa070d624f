"""Imports of CUDA names and of libraries that exist for CUDA only."""

from __future__ import annotations

import ast

from porter.codemods.context import Context, Decision
from porter.codemods.families.names import AMBIGUOUS_NAME, UNKNOWN_NAME, counterpart
from porter.codemods.import_edits import import_edits, move
from porter.codemods.registry import decides
from porter.findings import Verdict
from porter.rulebook import Rule
from porter.scan import Construct, Kind


@decides(Kind.IMPORT)
def imported(construct: Construct, context: Context) -> Decision:
    alias = construct.node
    assert isinstance(alias, ast.alias)
    statement = context.module.parents[alias]
    if alias.name == "*":
        rule = context.book.lookup(construct.name) or context.book[AMBIGUOUS_NAME]
        return _report(construct, rule, statement, "a star import hides which names are used")
    found = counterpart(context.book, construct.name)
    if found is None:
        return _report(construct, context.book[UNKNOWN_NAME], statement, construct.name)
    rule, new = found
    if new is None or rule.remove:
        return _report(construct, rule, statement)
    move(context, alias, new)
    return Decision(construct, rule, statement, edits=lambda: import_edits(context, alias))


def _report(construct: Construct, rule: Rule, shown: ast.AST, detail: str = "") -> Decision:
    blocks = rule.verdict is not Verdict.NO_OP
    return Decision(construct, rule, shown, detail=detail, blocks=blocks)
