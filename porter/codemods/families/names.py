"""Dotted names that a row of the rulebook decides: renamed, removed or reported."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from porter.codemods.calls import apply_policy, edit_arguments, has_unpacking, refused
from porter.codemods.context import Context, Decision
from porter.codemods.registry import decides
from porter.codemods.removal import remove_statement
from porter.codemods.spelling import moved_targets, spell
from porter.findings import Edit, Verdict
from porter.rulebook import Rule
from porter.scan import Construct, Kind
from porter.scan.module import last_name
from porter.scan.names import root_of
from porter.scan.scanner import is_annotation

UNKNOWN_NAME = "HPU001"
AMBIGUOUS_NAME = "HPU002"

_GIVES_A_VALUE = re.compile(r"torch\.cuda\.nvtx\.range_(push|pop|start)")
_TYPE_CHECKS = frozenset({"isinstance", "issubclass", "cast"})


@decides(Kind.NAME)
def name(construct: Construct, context: Context) -> Decision | None:
    found = context.book.counterpart(construct.name)
    if found is None:
        return _left(construct, context, context.book[UNKNOWN_NAME], construct.name)
    rule, new = found
    call = context.module.call_of(construct.node)
    if not construct.certain:
        return _ambiguous(construct, context, new if rule.arguments.suits(call) else None)
    if rule.remove:
        return _removal(construct, context, rule, call)
    if new is None:
        return _left(construct, context, rule)
    if isinstance(construct.node, ast.Constant):
        return _quoted(construct, context, rule, new)
    if call is not None and not rule.arguments.unchanged:
        reason = refused(call, rule.arguments)
        if reason is not None:
            return _left(construct, context, rule, f"{reason}= is given", Verdict.UNSUPPORTED)
        if has_unpacking(call) and not rule.arguments.drop_all:
            return _left(construct, context, rule, "arguments are unpacked", Verdict.REVIEW)
    if call is None and rule.arguments.append and not _decorates(context, construct.node):
        return _left(construct, context, rule, "it is passed on, not called", Verdict.REVIEW)
    if call is None and rule.arguments.prepend and _escapes(context, construct.node):
        return _left(construct, context, rule, "it is passed on, not called", Verdict.REVIEW)
    return _renamed(construct, context, rule, new, call)


def _left(
    construct: Construct,
    context: Context,
    rule: Rule,
    detail: str = "",
    verdict: Verdict | None = None,
) -> Decision:
    shown = context.module.call_of(construct.node) or construct.node
    return Decision.report(construct, rule, shown, detail=detail, verdict=verdict)


def _renamed(
    construct: Construct, context: Context, rule: Rule, new: str, call: ast.Call | None
) -> Decision:
    chain = construct.node
    assert isinstance(chain, ast.expr)
    decision = Decision(construct, rule, call or chain)

    def spelled() -> str | None:
        return spell(context, chain, construct.name, new)

    def edits() -> Iterable[Edit]:
        text = spelled()
        assert text is not None
        if call is None and rule.arguments.append:
            text += f"({rule.arguments.append})"
        if text != context.module.segment(chain):
            yield context.replace(chain, text)
        if call is not None and not rule.arguments.unchanged:
            yield from edit_arguments(context, call, apply_policy(rule.arguments))

    decision.edits, decision.holds = edits, lambda: spelled() is not None
    if call is None and not rule.arguments.unchanged and _escapes(context, chain):
        decision.verdict = Verdict.REVIEW
        decision.detail = "it is passed on, so check the arguments where it is called"
    if isinstance(context.module.parents[chain], (ast.Assign, ast.AnnAssign)):
        context.moved[chain] = new
    return decision


def _decorates(context: Context, node: ast.AST) -> bool:
    return node in getattr(context.module.parents[node], "decorator_list", ())


def _escapes(context: Context, node: ast.AST) -> bool:
    """Whether a function that is not called here may be called where its name does not show.

    Annotations, ``isinstance`` and plain aliases, whose uses are followed, do not count.
    """
    parent = context.module.parents[node]
    if isinstance(parent, ast.Assign):
        return not all(isinstance(target, ast.Name) for target in parent.targets)
    if isinstance(parent, ast.Attribute) or is_annotation(context.module, node):
        return False
    checked = isinstance(parent, ast.Call) and last_name(parent.func) in _TYPE_CHECKS
    return not checked


def _removal(construct: Construct, context: Context, rule: Rule, call: ast.Call | None) -> Decision:
    statement = context.module.parents.get(call) if call is not None else None
    passed_on = isinstance(statement, (ast.Return, ast.Lambda))
    if call is not None and passed_on and not _GIVES_A_VALUE.fullmatch(construct.name):
        return Decision(construct, rule, call, edits=lambda: [context.replace(call, "None")])
    if not isinstance(statement, ast.Expr):
        return _left(construct, context, rule, "its value is used", Verdict.REVIEW)
    context.removals.add(statement)
    return Decision(construct, rule, statement, edits=lambda: remove_statement(context, statement))


def _ambiguous(construct: Construct, context: Context, new: str | None) -> Decision:
    """``dev = torch.cuda`` in one branch, ``dev = torch.xpu`` in another: ``dev.f()`` follows.

    It does where the alias is rewritten and the rest of the name stays the same.
    """
    rule, detail = context.book[AMBIGUOUS_NAME], f"perhaps {construct.name}"
    decision = _left(construct, context, rule, detail)
    root = root_of(construct.node)
    if root is None or new is None:
        return decision
    tail = context.module.segment(construct.node)[len(root.id) :]
    decision.edits, decision.blocks = lambda: (), False
    decision.holds = lambda: any(alias + tail == new for alias in moved_targets(context, root))
    return decision


def _quoted(construct: Construct, context: Context, rule: Rule, new: str) -> Decision:
    """A quoted annotation: ``stream: "torch.cuda.Stream"``."""
    node = construct.node
    if not is_annotation(context.module, node):
        return _left(construct, context, rule)
    start, _ = context.module.span(node)
    name = re.compile(rf"\b{re.escape(construct.name)}\b(?!\.)")
    edits = [
        Edit(start + match.start(), start + match.end(), new)
        for match in name.finditer(context.module.segment(node))
    ]
    return Decision(construct, rule, node, edits=lambda: edits)
