"""Extend a list of accepted words by ours, beside the first of theirs."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable

from porter.codemods.context import Context
from porter.findings import Edit


def extend_list(context: Context, literal: ast.expr, ours: str) -> Callable[[], Iterable[Edit]]:
    """``("cpu", "cuda")`` becomes ``("cpu", "cuda", "hpu")``: once, whatever else stands in it."""

    def edits() -> Iterable[Edit]:
        sequence = context.module.parents[literal]
        assert isinstance(sequence, (ast.List, ast.Tuple, ast.Set))
        sharing = [
            decision.construct.node
            for decision in context.decisions
            if decision.fixable and decision.construct.node in sequence.elts
        ]
        if sharing[0] is literal:
            _, end = context.module.span(sequence.elts[-1])
            quote = "'" if context.module.segment(literal).endswith("'") else '"'
            yield Edit(end, end, f", {quote}{ours}{quote}")

    return edits
