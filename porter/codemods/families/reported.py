"""Constructs that a row of the rulebook explains, and that nobody but a human can rewrite."""

from __future__ import annotations

from porter.codemods.context import Context, Decision
from porter.codemods.registry import decides
from porter.scan import Construct, Kind


@decides(Kind.COMMAND, Kind.DYNAMIC)
def reported(construct: Construct, context: Context) -> Decision | None:
    rule = context.book.lookup(construct.key)
    if rule is None:
        return None
    return Decision.report(construct, rule, construct.node)
