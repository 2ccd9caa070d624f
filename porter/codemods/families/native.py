"""Compiled extension modules, and the CUDA libraries that Python code loads by hand."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from porter.codemods.context import Context, Decision
from porter.codemods.import_edits import import_edits, move
from porter.codemods.registry import decides
from porter.codemods.spelling import sources, spell
from porter.findings import Edit
from porter.scan import Construct, Kind
from porter.scan.names import root_of

NATIVE_IMPORT = "HPU500"
ROUTED_IMPORT = "HPU501"
NATIVE_USE = "HPU502"
ROUTED_USE = "HPU503"
CUDA_LIBRARY = "HPU510"


@decides(Kind.NATIVE)
def native(construct: Construct, context: Context) -> Decision:
    """A routed module is imported from its new place; a routed call waits for its operation."""
    options, node = context.options, construct.node
    module = _module_of(construct.name, context)
    target = options.routes.get(module)
    if isinstance(node, ast.alias):
        return _import(construct, context, node, module, target)
    shown = context.module.call_of(node) or node
    if target is None and module not in options.routes.values():
        rule = context.book[NATIVE_USE]
        return Decision.report(construct, rule, shown, detail=construct.name)
    new = (target or module) + construct.name[len(module) :]
    if options.is_implemented(new):
        return Decision(construct, context.book[ROUTED_IMPORT], shown, edits=lambda: ())
    rule = context.book[ROUTED_USE]
    return Decision.report(construct, rule, shown, detail=new, name=new, blocks=False)


@decides(Kind.LIBRARY)
def library(construct: Construct, context: Context) -> Decision:
    shown = context.module.call_of(construct.node) or construct.node
    return Decision.report(construct, context.book[CUDA_LIBRARY], shown)


def _import(
    construct: Construct, context: Context, alias: ast.alias, module: str, target: str | None
) -> Decision:
    statement = context.module.parents[alias]
    if target is None:
        return Decision.report(construct, context.book[NATIVE_IMPORT], statement)
    move(context, alias, target + construct.name[len(module) :])

    def edits() -> Iterator[Edit]:
        yield from import_edits(context, alias)
        yield from _respelled_uses(context, alias, module, target)

    return Decision(construct, context.book[ROUTED_IMPORT], statement, edits=edits)


def _respelled_uses(context: Context, alias: ast.alias, module: str, target: str) -> Iterator[Edit]:
    """``import pkg.ops`` is used as ``pkg.ops.f``: the uses move with the import."""
    for decision in context.decisions:
        use, name = decision.construct.node, decision.construct.name
        root = root_of(use)
        if root is None or not isinstance(use, ast.expr) or _module_of(name, context) != module:
            continue
        if sources(context, root)[:1] == [alias]:
            text = spell(context, use, name, target + name[len(module) :])
            if text is not None and text != context.module.segment(use):
                yield Edit(*context.module.span(use), text)


def _module_of(name: str, context: Context) -> str:
    """The native module that ``name`` is, or belongs to; empty where it is none."""
    owners = (
        module for module in context.native if name == module or name.startswith(f"{module}.")
    )
    return max(owners, key=len, default="")
