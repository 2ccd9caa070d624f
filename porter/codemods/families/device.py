"""Strings that name a device: ``"cuda"``, ``"cuda:0"``, ``f"cuda:{rank}"``."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from porter.codemods.context import Context, Decision, message_edits
from porter.codemods.extend import extend_list
from porter.codemods.registry import decides
from porter.findings import Edit
from porter.scan import Construct
from porter.scan.module import last_name
from porter.scan.receiver import Receiver

DEVICE = "HPU210"
INDEXED_DEVICE = "HPU211"
EXTENDED = "HPU212"
COVERED = "HPU213"
FOREIGN = "HPU214"
GPU_STRING = "HPU215"
INDEX_ARGUMENT = "HPU216"

_QUOTES = re.compile(r"[rRfFbBuU]*('''|\"\"\"|'|\")")


@decides("device:cuda")
def device(construct: Construct, context: Context) -> Decision:
    """What receives the string decides: a device is replaced, somebody else's word is not."""
    literal = construct.node
    assert isinstance(literal, ast.expr)
    whole = context.devices.expression(literal)
    built = whole is not literal or isinstance(literal, ast.JoinedStr)
    if built:
        receiver = context.devices.receiver_of_built(literal, whole)
    else:
        receiver = context.devices.receiver(literal)
    text = _counterpart(context, whole)
    if receiver is Receiver.FOREIGN or text is None:
        return Decision.report(construct, context.book[FOREIGN], _around(context, whole))
    if receiver is Receiver.COVERED:
        return Decision.report(construct, context.book[COVERED], whole)
    if receiver is Receiver.LIST:
        edits = extend_list(context, literal, "hpu")
        return Decision(construct, context.book[EXTENDED], context.module.parents[literal], edits)
    indexed = built or not _is_plain(literal)
    rule, shown = context.book[INDEXED_DEVICE if indexed else DEVICE], whole
    call = _call_with_index(context, whole)
    if call is not None:
        rule, shown = context.book[INDEX_ARGUMENT], call
    return Decision(construct, rule, shown, edits=lambda: _to_hpu(context, literal, whole, text))


@decides("device:gpu")
def gpu(construct: Construct, context: Context) -> Decision:
    return Decision.report(construct, context.book[GPU_STRING], _around(context, construct.node))


def _counterpart(context: Context, whole: ast.expr) -> str | None:
    """``hpu``; ``hpu:0`` where a tensor's own device is compared; None for a card of its own."""
    if not _meets_own_device(context, whole):
        return "hpu"
    is_first = isinstance(whole, ast.Constant) and whole.value in ("cuda:0", "cuda")
    if not is_first:
        return None
    return "hpu:0" if isinstance(whole, ast.Constant) and whole.value == "cuda:0" else "hpu"


def _meets_own_device(context: Context, whole: ast.expr) -> bool:
    """``str(x.device) == "cuda:0"``, ``x.device == torch.device("cuda:0")``."""
    parent = context.module.parents[whole]
    if isinstance(parent, ast.Compare):
        others = [other for other in (parent.left, *parent.comparators) if other is not whole]
        return any(
            isinstance(other, ast.Call) and last_name(other.func) == "str" for other in others
        )
    return (
        isinstance(parent, ast.Call)
        and context.resolver.dotted(parent.func) == "torch.device"
        and isinstance(context.module.parents[parent], ast.Compare)
    )


def _to_hpu(context: Context, literal: ast.expr, whole: ast.expr, text: str) -> Iterator[Edit]:
    match = _QUOTES.match(context.module.segment(literal))
    quote = match.group(1)[0] if match else '"'
    in_string = any(isinstance(above, ast.JoinedStr) for above in context.module.ancestors(whole))
    yield context.replace(
        whole, context.quoted(text, whole) if in_string else f"{quote}{text}{quote}"
    )
    yield from message_edits(context, whole)
    call = _call_with_index(context, whole)
    if call is not None:
        yield from _without_index(context, call)


def _without_index(context: Context, call: ast.Call) -> Iterator[Edit]:
    """Drop the second argument, once, however many words the first one chooses between."""
    every: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
    device, index = every
    if index not in context.layout.consumed:
        context.consume(index)
        _, start = context.module.span(device)
        yield Edit(start, context.module.span(index)[1], "")


def _call_with_index(context: Context, whole: ast.expr) -> ast.Call | None:
    """The call ``torch.device("cuda", rank)`` whose first argument chooses ``whole``."""
    argument: ast.AST = whole
    while isinstance(parent := context.module.parents[argument], (ast.IfExp, ast.BoolOp)):
        argument = parent
    call = context.module.parents[parent] if isinstance(parent, ast.keyword) else parent
    if isinstance(parent, ast.keyword):
        argument = parent
    if (
        isinstance(call, ast.Call)
        and context.resolver.dotted(call.func) == "torch.device"
        and len(call.args) + len(call.keywords) == 2
        and argument in (call.args[:1] or call.keywords[:1])
    ):
        return call
    return None


def _is_plain(literal: ast.expr) -> bool:
    return isinstance(literal, ast.Constant) and literal.value == "cuda"


def _around(context: Context, node: ast.AST) -> ast.AST:
    """The keyword or the small call around a string, so that a reader sees who takes it."""
    parent = context.module.parents[node]
    return parent if isinstance(parent, (ast.keyword, ast.Compare)) else node
