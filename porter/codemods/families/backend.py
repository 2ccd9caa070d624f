"""Strings that name a communication backend: ``"nccl"``, ``"cpu:gloo,cuda:nccl"``."""

from __future__ import annotations

import ast

from porter.codemods.context import Context, Decision
from porter.codemods.extend import extend_list
from porter.codemods.registry import decides
from porter.scan import Construct
from porter.scan.receiver import Receiver

BACKEND = "HPU600"
EXTENDED = "HPU601"
COVERED = "HPU602"
FOREIGN = "HPU603"


@decides("backend:nccl")
def backend(construct: Construct, context: Context) -> Decision:
    literal = construct.node
    assert isinstance(literal, ast.Constant) and isinstance(literal.value, str)
    receiver = context.backends.receiver(literal)
    if ":" in literal.value and receiver is Receiver.FOREIGN:
        receiver = Receiver.DEVICE
    if receiver is Receiver.FOREIGN:
        return Decision.report(construct, context.book[FOREIGN], literal)
    if receiver is Receiver.COVERED:
        return Decision.report(construct, context.book[COVERED], literal)
    if receiver is Receiver.LIST:
        edits = extend_list(context, literal, "hccl")
        return Decision(construct, context.book[EXTENDED], context.module.parents[literal], edits)
    text = context.module.segment(literal).replace("cuda:nccl", "hpu:hccl")
    text = text.replace("nccl", "hccl").replace("NCCL", "HCCL")
    return Decision(
        construct, context.book[BACKEND], literal, edits=lambda: [context.replace(literal, text)]
    )
