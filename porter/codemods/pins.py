"""Aliases with a use that stays on CUDA must keep their CUDA meaning."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from porter.codemods.context import Context, Decision
from porter.codemods.spelling import root_of, sources
from porter.scan import Kind

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
        if decision.fixable or _moves_with_its_module(decision):
            continue
        for source in _aliases(context, decision, by_node):
            source.keep(context.book[PINNED_ALIAS], f"{decision.construct.name} stays")
            _forget(context, source.construct.node)


def _moves_with_its_module(use: Decision) -> bool:
    """An operation of a routed module waits for its implementation at the new place."""
    return use.construct.kind is Kind.NATIVE and not use.blocks


def _aliases(
    context: Context, use: Decision, by_node: dict[ast.AST, Decision]
) -> Iterator[Decision]:
    root = root_of(use.construct.node)
    for node in sources(context, root) if root is not None else ():
        source = by_node.get(node)
        if source is not None and source is not use and node in context.moved:
            yield source


def _forget(context: Context, node: ast.AST) -> None:
    context.moved.pop(node, None)
    context.renamed.pop(node, None)
