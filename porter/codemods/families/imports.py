"""Imports of CUDA names and of libraries that exist for CUDA only."""

from __future__ import annotations

import ast

from porter.codemods.context import Context, Decision
from porter.codemods.import_edits import import_edits, move
from porter.codemods.registry import decides
from porter.scan import Construct, Kind

UNKNOWN_NAME = "HPU001"
AMBIGUOUS_NAME = "HPU002"


@decides(Kind.IMPORT)
def imported(construct: Construct, context: Context) -> Decision:
    alias = construct.node
    assert isinstance(alias, ast.alias)
    statement = context.module.parents[alias]
    if alias.name == "*":
        rule = context.book.lookup(construct.name) or context.book[AMBIGUOUS_NAME]
        detail = "a star import hides which names are used"
        return Decision.report(construct, rule, statement, detail=detail)
    found = context.book.counterpart(construct.name)
    if found is None:
        rule = context.book[UNKNOWN_NAME]
        return Decision.report(construct, rule, statement, detail=construct.name)
    rule, new = found
    if new is None or rule.remove:
        return Decision.report(construct, rule, statement)
    move(context, alias, new)
    return Decision(construct, rule, statement, edits=lambda: import_edits(context, alias))
