"""Typed tensors of the old kind, made and cast to: ``torch.cuda.FloatTensor(data)``."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from porter.codemods.context import Context, Decision
from porter.codemods.registry import decides
from porter.codemods.spelling import spell, torch_name
from porter.findings import Edit, Verdict
from porter.rulebook import Rule
from porter.scan import Construct, Kind

_DTYPES = {
    "BFloat16Tensor": "bfloat16",
    "BoolTensor": "bool",
    "ByteTensor": "uint8",
    "CharTensor": "int8",
    "DoubleTensor": "float64",
    "FloatTensor": "float32",
    "HalfTensor": "float16",
    "IntTensor": "int32",
    "LongTensor": "int64",
    "ShortTensor": "int16",
}
_WRITTEN_OUT = (ast.Constant, ast.List, ast.ListComp, ast.Starred, ast.Tuple, ast.UnaryOp)


@decides(*(f"torch.cuda.{name}" for name in _DTYPES))
def typed_tensor(construct: Construct, context: Context) -> Decision | None:
    """Made on the host and moved, or moved with its dtype; None for any other use of the type."""
    node, rule = construct.node, context.book.lookup(construct.name)
    if construct.kind is not Kind.NAME or not construct.certain or rule is None:
        return None
    if (call := context.module.call_of(node)) is not None and not call.keywords:
        return _made(construct, context, rule, call)
    parent = context.module.parents[node]
    if isinstance(parent, ast.Call) and _casts_to(parent, node):
        return _cast(construct, context, rule, parent)
    return None


def _made(construct: Construct, context: Context, rule: Rule, call: ast.Call) -> Decision:
    """``torch.cuda.FloatTensor(3)`` is ``torch.FloatTensor(3).to("hpu")``, sizes or data alike."""
    chain = construct.node
    assert isinstance(chain, ast.expr)
    new = construct.name.replace("torch.cuda.", "torch.")

    def edits() -> Iterator[Edit]:
        text = spell(context, chain, construct.name, new)
        assert text is not None
        yield context.replace(chain, text)
        _, end = context.module.span(call)
        yield Edit(end, end, f".to({context.quoted('hpu', call)})")

    decision = Decision(construct, rule, call, edits=edits, name=new)
    decision.holds = lambda: spell(context, chain, construct.name, new) is not None
    if not all(isinstance(argument, _WRITTEN_OUT) for argument in call.args):
        decision.verdict = Verdict.REVIEW
        decision.detail = "it takes no tensor that is on the card already"
    return decision


def _casts_to(call: ast.Call, node: ast.AST) -> bool:
    """``x.type(torch.cuda.FloatTensor, non_blocking=True)``."""
    return (
        isinstance(call.func, ast.Attribute)
        and call.func.attr == "type"
        and call.args == [node]
        and all(keyword.arg == "non_blocking" for keyword in call.keywords)
    )


def _cast(construct: Construct, context: Context, rule: Rule, call: ast.Call) -> Decision | None:
    """``x.type(torch.cuda.FloatTensor)`` is ``x.to("hpu", torch.float32)``."""
    torch = torch_name(context, call)
    if torch is None:
        return None
    dtype = _DTYPES[construct.name.rpartition(".")[2]]

    def edits() -> Iterator[Edit]:
        _, end = context.module.span(call.func)
        yield Edit(end - len("type"), end, "to")
        hpu = context.quoted("hpu", call)
        yield context.replace(construct.node, f"{hpu}, {torch}.{dtype}")

    return Decision(construct, rule, call, edits=edits)
