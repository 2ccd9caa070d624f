"""Availability guards: a branch that needs CUDA must not open on HPU.

``if torch.cuda.is_available():`` around a CUDA kernel stays as it is, and so
does everything inside; around code that was ported it asks for HPU instead.
A chain that already has an arm for HPU is left alone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from porter.codemods.context import Context, Decision
from porter.scan import Kind
from porter.scan.choices import stands_beside
from porter.scan.vocabulary import DEVICES

CUDA_ONLY_GUARD = "HPU010"
INSIDE_CUDA_ONLY = "HPU011"
HAS_HPU_ARM = "HPU012"

_TERMINATORS = (ast.Return, ast.Raise, ast.Continue, ast.Break)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def keep_guards_sound(context: Context) -> None:
    """Withdraw the edits of every guard that must stay shut, and of what it guards."""
    guards = [decision for decision in context.decisions if _may_guard(decision)]
    regions = {id(guard): list(_regions(context, guard.construct.node)) for guard in guards}
    for guard in sorted(guards, key=lambda guard: _start(context, guard), reverse=True):
        region = regions[id(guard)]
        if not region:
            continue
        inside = _within(context, region)
        if _has_hpu_arm(context, guard):
            guard.keep(context.book[HAS_HPU_ARM])
            _keep_all(context, inside, HAS_HPU_ARM)
        elif guard.fixable and (reason := _obstacle(context, inside, region)):
            guard.keep(context.book[CUDA_ONLY_GUARD], f"it needs {reason}")
            _keep_all(context, inside, INSIDE_CUDA_ONLY)


def _may_guard(decision: Decision) -> bool:
    return decision.construct.kind in (Kind.NAME, Kind.DEVICE, Kind.ATTRIBUTE) and isinstance(
        decision.construct.node, ast.expr
    )


def _start(context: Context, guard: Decision) -> int:
    """Where a guard stands; one inside another stands later."""
    return context.module.span(guard.construct.node)[0]


def _has_hpu_arm(context: Context, guard: Decision) -> bool:
    node = guard.construct.node
    assert isinstance(node, ast.expr)
    test = next(
        (
            above
            for above in context.module.ancestors(node)
            if isinstance(above, (ast.Compare, ast.Call))
        ),
        node,
    )
    return stands_beside(context.module, test, DEVICES)


def _regions(
    context: Context, node: ast.AST, flags: frozenset[ast.AST] = frozenset()
) -> Iterator[ast.AST]:
    """What runs only if the test around ``node`` holds; nothing where it is no test.

    ``flags`` are the assignments that the search came through.
    """
    holds = True
    is_test = bool(flags) or not isinstance(node, ast.Constant)
    for above in context.module.ancestors(node):
        match above:
            case ast.UnaryOp(op=ast.Not()):
                holds = not holds
            case ast.BoolOp() if isinstance(node, ast.expr):
                if isinstance(above.op, ast.And) is holds:
                    yield from above.values[above.values.index(node) + 1 :]
            case ast.Compare():
                is_test = True
            case ast.Call() if node is not above.func:
                if _is_skip(above):
                    yield from _decorated(context, above)
                return
            case ast.Call() | ast.Attribute() | ast.Subscript():
                pass
            case ast.If() if node is above.test:
                yield from above.body if holds else above.orelse
                if not holds and isinstance(above.body[-1], _TERMINATORS):
                    yield from _rest_of_block(context, above)
                return
            case ast.IfExp() if node is above.test:
                yield above.body if holds else above.orelse
                return
            case ast.While() if node is above.test:
                yield from above.body
                return
            case ast.Assert() if node is above.test:
                yield from _rest_of_block(context, above)
                return
            case ast.Assign(targets=[ast.Name() as flag]) if is_test and above not in flags:
                if holds:
                    yield from _regions_of_flag(context, flag, flags | {above})
                return
            case _:
                return
        node = above


def _regions_of_flag(
    context: Context, flag: ast.Name, flags: frozenset[ast.AST]
) -> Iterator[ast.AST]:
    """``HAS_CUDA = torch.cuda.is_available()``: every test of the flag guards."""
    owner = context.module.scope(flag)
    for scope in context.module.scopes():
        if scope.owner(flag.id) is owner:
            for load in scope.loads.get(flag.id, ()):
                yield from _regions(context, load, flags)


def _rest_of_block(context: Context, statement: ast.stmt) -> list[ast.stmt]:
    block = context.module.block_of(statement)
    return block[block.index(statement) + 1 :]


def _is_skip(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr in ("skipif", "skipUnless")


def _decorated(context: Context, call: ast.Call) -> list[ast.stmt]:
    parent = context.module.parents[call]
    return parent.body if isinstance(parent, _FUNCTIONS) else []


def _within(context: Context, region: list[ast.AST]) -> list[Decision]:
    inside = {id(node) for top in region for node in ast.walk(top)}
    return [decision for decision in context.decisions if id(decision.construct.node) in inside]


def _keep_all(context: Context, decisions: list[Decision], identifier: str) -> None:
    for decision in decisions:
        decision.shielded = True
        if decision.fixable:
            decision.keep(context.book[identifier])


def _obstacle(context: Context, inside: list[Decision], region: list[ast.AST]) -> str | None:
    """The name of something in the region that fails on HPU."""
    for decision in inside:
        if decision.blocks and not decision.shielded:
            return decision.construct.name
    imports = {
        decision.construct.node
        for decision in context.decisions
        if decision.blocks and isinstance(decision.construct.node, ast.alias)
    }
    if not imports:
        return None
    for node in (node for top in region for node in ast.walk(top)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            bindings = context.module.bindings(node)
            if bindings and all(binding.node in imports for binding in bindings):
                return node.id
    return None
