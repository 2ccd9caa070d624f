"""Edit the arguments of a call with libcst, so that comments and layout in it survive."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

import libcst as cst

from porter.codemods.context import Context
from porter.findings import Edit, apply_edits, edits_within
from porter.rulebook import Arguments, is_nothing
from porter.scan import Module

Transform = Callable[[Sequence[cst.Arg]], Sequence[cst.Arg]]


def edit_arguments(context: Context, call: ast.Call, transform: Transform) -> list[Edit]:
    """The edit of the parenthesised part of ``call``; none where nothing changes.

    Edits inside the arguments that stay are carried on in this one.
    """
    module = context.module
    start, end = _parentheses(module, call)
    original = module.text[start:end]
    inner = edits_within(context.layout.take((start, end)), (start, end))
    parsed = cst.parse_expression(f"f{apply_edits(original, inner)}")
    assert isinstance(parsed, cst.Call)
    arguments = list(transform(parsed.args))
    kept = {id(argument.value) for argument in arguments}
    for node, argument in zip(_in_order(call), parsed.args, strict=True):
        if id(argument.value) not in kept:
            context.consume(node)
    arguments = _tidy(arguments, parsed.args)
    changed = cst.Module([]).code_for_node(parsed.with_changes(args=arguments))[1:]
    return [Edit(start, end, changed)] if changed != original else []


def _in_order(call: ast.Call) -> list[ast.expr | ast.keyword]:
    """Arguments in the order of the source, keywords among them."""
    every: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
    return sorted(every, key=lambda node: (node.lineno, node.col_offset))


def apply_policy(policy: Arguments) -> Transform:
    """The transform that a rule's ``arguments`` table describes."""

    def transform(arguments: Sequence[cst.Arg]) -> Sequence[cst.Arg]:
        added = _arguments_of(policy.prepend) if policy.prepend is not None else []
        kept: list[cst.Arg] = []
        shifted = bool(added)
        for index, argument in enumerate(arguments):
            parameter = _parameter(argument, index, policy)
            if policy.drop_all or parameter in policy.drop:
                shifted = True
            elif shifted and argument.keyword is None and parameter is not None:
                kept.append(named(argument, parameter))
            else:
                kept.append(argument)
        return [*added, *kept, *(_arguments_of(policy.append) if policy.append else ())]

    return transform


def named(argument: cst.Arg, parameter: str) -> cst.Arg:
    """A positional argument as a keyword, for a place where its position has changed."""
    equal = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
    return argument.with_changes(keyword=cst.Name(parameter), equal=equal)


def refused(call: ast.Call, policy: Arguments) -> str | None:
    """The first given parameter that HPU cannot serve. ``parameter=False`` asks for nothing."""
    given = policy.given_by(call)
    return next((name for name in policy.refuse if not is_nothing(given.get(name))), None)


def has_unpacking(call: ast.Call) -> bool:
    """Whether ``*args`` or ``**kwargs`` hide what the call gives."""
    return any(isinstance(argument, ast.Starred) for argument in call.args) or any(
        keyword.arg is None for keyword in call.keywords
    )


def _arguments_of(source: str) -> list[cst.Arg]:
    call = cst.parse_expression(f"f({source})")
    assert isinstance(call, cst.Call)
    return list(call.args)


def _parameter(argument: cst.Arg, index: int, policy: Arguments) -> str | None:
    if argument.keyword is not None:
        return argument.keyword.value
    return policy.parameters[index] if index < len(policy.parameters) else None


def _tidy(arguments: list[cst.Arg], before: Sequence[cst.Arg]) -> list[cst.Arg]:
    """Mend the commas and, where the first argument went, the layout before the new first."""
    if not arguments:
        return []
    for index, argument in enumerate(arguments[:-1]):
        if isinstance(argument.comma, cst.MaybeSentinel):
            arguments[index] = argument.with_changes(
                comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
            )
    last = arguments[-1]
    if before and last is not before[-1]:
        comma = before[-1].comma
        if not isinstance(comma, cst.Comma) and isinstance(last.comma, cst.Comma):
            comma = cst.MaybeSentinel.DEFAULT
        arguments[-1] = last.with_changes(
            comma=comma, whitespace_after_arg=before[-1].whitespace_after_arg
        )
    return arguments


def _parentheses(module: Module, call: ast.Call) -> tuple[int, int]:
    """Span from the opening parenthesis of the arguments to the closing one."""
    _, position = module.span(call.func)
    _, end = module.span(call)
    while module.text[position] != "(":
        position = module.line_end(position) if module.text[position] == "#" else position + 1
    return position, end
