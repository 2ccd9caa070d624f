"""Tensor and module methods and attributes that speak of CUDA."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

import libcst as cst

from porter.codemods.calls import edit_arguments, has_unpacking, named
from porter.codemods.context import Context, Decision, message_edits
from porter.codemods.registry import decides
from porter.findings import Edit, Verdict
from porter.rulebook import Rule
from porter.scan import Construct, Kind
from porter.scan.module import last_name

MOVE = "HPU201"
OWN_METHOD = "HPU202"
IS_CUDA = "HPU203"
PINNED = "HPU205"

_TIGHT = (ast.Compare, ast.BinOp, ast.UnaryOp, ast.Attribute, ast.Call, ast.Subscript, ast.Await)


@decides("method:cuda")
def move(construct: Construct, context: Context) -> Decision:
    """``x.cuda(device, non_blocking=True)`` is ``x.to("hpu", non_blocking=True)``."""
    attribute = construct.node
    assert isinstance(attribute, ast.Attribute)
    call = context.module.call_of(attribute)
    assert call is not None
    rule = context.book[MOVE]
    if reason := _no_tensor(context, attribute.value):
        return Decision.report(construct, rule, call, detail=reason, verdict=Verdict.REVIEW)
    if _is_own_method(context, attribute):
        return Decision.report(construct, context.book[OWN_METHOD], call, blocks=False)
    if has_unpacking(call):
        detail = "arguments are unpacked"
        return Decision.report(construct, rule, call, detail=detail, verdict=Verdict.REVIEW)

    def to_hpu(arguments: Sequence[cst.Arg]) -> list[cst.Arg]:
        device = cst.Arg(cst.SimpleString(context.quoted("hpu", attribute)))
        return [device, *_without_device(arguments)]

    def edits() -> Iterator[Edit]:
        _, end = context.module.span(attribute)
        yield Edit(end - len("cuda"), end, "to")
        yield from edit_arguments(context, call, to_hpu)

    return Decision(construct, rule, call, edits=edits)


@decides("definition:cuda")
def own_method(construct: Construct, context: Context) -> Decision:
    definition = construct.node
    assert isinstance(definition, ast.FunctionDef)
    start, _ = context.module.span(definition)
    body, _ = context.module.span(definition.body[0])
    header = context.module.text[start:body].rstrip()
    span = (start, start + len(header))
    return Decision.report(construct, context.book[OWN_METHOD], definition, span=span)


@decides("attribute:is_cuda")
def is_cuda(construct: Construct, context: Context) -> Decision:
    """``x.is_cuda`` is False for HPU tensors; the type of the device tells."""
    attribute = construct.node
    assert isinstance(attribute, ast.Attribute)
    if _is_own_method(context, attribute):
        return Decision.report(construct, context.book[OWN_METHOD], attribute, blocks=False)
    return compared(construct, context, context.book[IS_CUDA], attribute, "device.type")


@decides("method:pin_memory", Kind.KEYWORD)
def pinned(construct: Construct, context: Context) -> Decision | None:
    call = context.module.call_of(construct.node)
    if call is not None and (call.args or call.keywords):
        return None
    return Decision.report(construct, context.book[PINNED], call or construct.node, blocks=False)


@decides(Kind.ATTRIBUTE)
def attribute(construct: Construct, context: Context) -> Decision | None:
    """Attributes that a row of the rulebook renames or reports."""
    node, rule = construct.node, context.book.lookup(construct.key)
    assert isinstance(node, ast.Attribute)
    if rule is None:
        return None
    shown = context.module.call_of(node) or node
    replacement = rule.replacement
    if replacement is None:
        return Decision.report(construct, rule, shown)
    _, end = context.module.span(node)
    edit = Edit(end - len(node.attr), end, replacement)
    return Decision(construct, rule, shown, edits=lambda: [edit])


def compared(
    construct: Construct,
    context: Context,
    rule: Rule,
    asked: ast.Attribute | ast.Call,
    told_by: str,
) -> Decision:
    """What is asked by ``asked`` is answered by comparing ``told_by`` of the same object."""
    attribute = construct.node
    assert isinstance(attribute, ast.Attribute)
    negated = _is_plainly_negated(context, asked)
    shown = context.module.parents[asked] if negated else asked
    hpu = context.quoted("hpu", attribute)

    def edits() -> Iterator[Edit]:
        tight = _binds_tightly(context, shown)
        start, _ = context.module.span(shown)
        value, end = context.module.span(asked)
        if negated or tight:
            yield Edit(start, value, "(" if tight else "")
        test = f"{told_by} {'!=' if negated else '=='} {hpu}"
        _, name = context.module.span(attribute)
        yield Edit(name - len(attribute.attr), end, f"{test})" if tight else test)
        yield from message_edits(context, asked)

    return Decision(construct, rule, shown, edits=edits)


def _without_device(arguments: Sequence[cst.Arg]) -> list[cst.Arg]:
    """The second positional argument of ``Tensor.cuda`` is ``non_blocking``."""
    kept: list[cst.Arg] = []
    for index, argument in enumerate(arguments):
        if argument.keyword is not None:
            if argument.keyword.value != "device":
                kept.append(argument)
        elif index > 0:
            kept.append(named(argument, "non_blocking"))
    return kept


def _no_tensor(context: Context, receiver: ast.expr) -> str | None:
    """Why ``receiver.cuda()`` is not the method of a tensor or a module, if it is not."""
    name = context.resolver.dotted(receiver)
    if name is not None and name.startswith("torch."):
        return f"{name} is called with its instance as an argument"
    if isinstance(receiver, ast.Name) and "storage" in receiver.id:
        return "a storage takes its device by keyword"
    return None


def _is_own_method(context: Context, attribute: ast.Attribute) -> bool:
    """Whether the class around ``self.cuda``, or the class of ``Batch(x).cuda``, defines it."""
    receiver = attribute.value
    if isinstance(receiver, ast.Name) and receiver.id in ("self", "cls"):
        owners = [
            above
            for above in context.module.ancestors(attribute)
            if isinstance(above, ast.ClassDef)
        ][:1]
    elif attribute.attr == "is_cuda" or isinstance(receiver, ast.Call):
        owners = context.module.classes
        if isinstance(receiver, ast.Call):
            owners = [owner for owner in owners if owner.name == last_name(receiver.func)]
    else:
        return False
    return any(
        above in owners
        for definition in _definitions(context, attribute.attr)
        for above in context.module.ancestors(definition)
    )


def _definitions(context: Context, name: str) -> Iterator[ast.AST]:
    for node in context.module.mentioning(name):
        if (
            (isinstance(node, ast.FunctionDef) and node.name == name)
            or (isinstance(node, ast.AnnAssign) and _is_name(node.target, name))
            or (
                isinstance(node, ast.Attribute)
                and node.attr == name
                and isinstance(node.ctx, ast.Store)
            )
        ):
            yield node


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _is_plainly_negated(context: Context, node: ast.expr) -> bool:
    """``not x.is_cuda``, with no parenthesis or comment between the two."""
    parent = context.module.parents[node]
    if not (isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not)):
        return False
    start, _ = context.module.span(parent)
    value, _ = context.module.span(node)
    return context.module.text[start + len("not") : value].isspace()


def _binds_tightly(context: Context, node: ast.AST) -> bool:
    """Whether the operator around ``node`` would tear a comparison apart."""
    parent = context.module.parents[node]
    if isinstance(parent, ast.UnaryOp):
        return not isinstance(parent.op, ast.Not)
    if isinstance(parent, ast.Call):
        return parent.func is node
    return isinstance(parent, _TIGHT)
