"""Objects that say which device they stand for, vLLM's platform above all."""

from __future__ import annotations

import ast

from porter.codemods.context import Context, Decision
from porter.codemods.families.tensor import compared
from porter.codemods.registry import decides
from porter.scan import Construct

OTHER_OBJECT = "HPU204"
VLLM = "HPU208"

_MODULE, _NAME = "vllm.platforms", "current_platform"


@decides("method:is_cuda", "method:is_cuda_alike")
def is_cuda_call(construct: Construct, context: Context) -> Decision:
    """``current_platform.is_cuda()`` is False on Gaudi; its ``device_type`` tells."""
    attribute = construct.node
    assert isinstance(attribute, ast.Attribute)
    call = context.module.call_of(attribute)
    assert call is not None
    if _is_vllm_s(context, attribute.value) and not (call.args or call.keywords):
        return compared(construct, context, context.book[VLLM], call, "device_type")
    return Decision.report(construct, context.book[OTHER_OBJECT], call, blocks=False)


def _is_vllm_s(context: Context, receiver: ast.expr) -> bool:
    """Also where a parameter has its name, in a module that imports it somewhere."""
    name = context.resolver.dotted(receiver)
    if name is not None:
        return name == f"{_MODULE}.{_NAME}"
    return (
        isinstance(receiver, ast.Name)
        and receiver.id == _NAME
        and any(
            isinstance(node, ast.ImportFrom) and node.module == _MODULE
            for node in context.module.imports
        )
    )
