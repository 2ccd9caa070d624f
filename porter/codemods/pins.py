"""Aliases with a use that stays on CUDA must keep their CUDA meaning."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from porter.codemods.context import Context, Decision
from porter.codemods.spelling import sources
from porter.rulebook import Rule
from porter.scan import Kind
from porter.scan.names import root_of

PINNED_ALIAS = "HPU003"


def pin_aliases(context: Context) -> None:
    """Withdraw what would move an alias that code left on CUDA refers to.

    ``from torch import cuda`` stays where ``cuda.nvtx`` stays; the other uses
    are then spelled through ``torch``.
    """
    by_node = {decision.construct.node: decision for decision in context.decisions}
    for node in [node for node in context.moved if not by_node[node].fixable]:
        _forget(context, node)
    for decision in context.decisions:
        if not decision.fixable and not _moves_with_its_module(decision):
            _pin(context, decision, by_node)
    for decision in context.decisions:
        if _is_torn(context, decision, by_node):
            _pin(context, decision, by_node)
            _keep_use(decision, context.book[PINNED_ALIAS], "one of its imports stays")
    for decision in context.decisions:
        if decision.fixable and decision.holds is not None and not decision.holds():
            _keep_use(decision, decision.rule, "it cannot be spelled without `import torch`")


def _keep_use(use: Decision, rule: Rule, detail: str) -> None:
    """Leave a use on CUDA, where it would fail on HPU."""
    use.keep(rule, detail)
    use.blocks = True


def _pin(context: Context, use: Decision, by_node: dict[ast.AST, Decision]) -> None:
    for source in aliases(context, use, by_node):
        if source.construct.node in context.moved:
            source.keep(context.book[PINNED_ALIAS], f"{use.construct.name} stays")
            _forget(context, source.construct.node)


def _is_torn(context: Context, use: Decision, by_node: dict[ast.AST, Decision]) -> bool:
    """Whether one of several imports of a name moves and another one stays."""
    moves = {source.construct.node in context.moved for source in aliases(context, use, by_node)}
    return len(moves) == 2


def _moves_with_its_module(use: Decision) -> bool:
    """An operation of a routed module waits for its implementation at the new place."""
    return use.construct.kind is Kind.NATIVE and not use.blocks


def aliases(
    context: Context, use: Decision, by_node: dict[ast.AST, Decision]
) -> Iterator[Decision]:
    """What was decided of the imports and assignments that a use gets its meaning from."""
    root = root_of(use.construct.node)
    for node in sources(context, root) if root is not None else ():
        source = by_node.get(node)
        if source is not None and source is not use:
            yield source


def _forget(context: Context, node: ast.AST) -> None:
    context.moved.pop(node, None)
    context.renamed.pop(node, None)
