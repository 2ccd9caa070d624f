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
    find = context.devices.receiver_of_built if built else context.devices.receiver
    receiver = find(whole)
    if receiver is Receiver.FOREIGN:
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
    return Decision(construct, rule, shown, edits=lambda: _to_hpu(context, literal, whole))


@decides("device:gpu")
def gpu(construct: Construct, context: Context) -> Decision:
    return Decision.report(construct, context.book[GPU_STRING], _around(context, construct.node))


def _to_hpu(context: Context, literal: ast.expr, whole: ast.expr) -> Iterator[Edit]:
    match = _QUOTES.match(context.module.segment(literal))
    quote = match.group(1)[0] if match else '"'
    in_string = any(isinstance(above, ast.JoinedStr) for above in context.module.ancestors(whole))
    yield context.replace(
        whole, context.quoted("hpu", whole) if in_string else f"{quote}hpu{quote}"
    )
    yield from message_edits(context.module, whole)
    call = _call_with_index(context, whole)
    if call is not None:
        _, start = context.module.span(whole)
        last = call.args[1] if len(call.args) > 1 else call.keywords[0]
        context.consume(last)
        yield Edit(start, context.module.span(last)[1], "")


def _call_with_index(context: Context, whole: ast.expr) -> ast.Call | None:
    """The call ``torch.device("cuda", rank)`` whose first argument is ``whole``."""
    call = context.module.parents[whole]
    if (
        isinstance(call, ast.Call)
        and context.resolver.dotted(call.func) == "torch.device"
        and len(call.args) + len(call.keywords) == 2
        and call.args[:1] == [whole]
    ):
        return call
    return None


def _is_plain(literal: ast.expr) -> bool:
    return isinstance(literal, ast.Constant) and literal.value == "cuda"


def _around(context: Context, node: ast.AST) -> ast.AST:
    """The keyword or the small call around a string, so that a reader sees who takes it."""
    parent = context.module.parents[node]
    return parent if isinstance(parent, (ast.keyword, ast.Compare)) else node
