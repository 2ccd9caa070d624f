"""Dotted names that a row of the rulebook decides: renamed, removed or reported."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from porter.codemods.calls import apply_policy, edit_arguments, has_unpacking, refused
from porter.codemods.context import Context, Decision, call_of
from porter.codemods.registry import decides
from porter.codemods.removal import remove_statement
from porter.codemods.spelling import moved_targets, root_of, spell
from porter.findings import Edit, Verdict
from porter.rulebook import Rule, Rulebook
from porter.scan import Construct, Kind
from porter.scan.scanner import is_annotation

UNKNOWN_NAME = "HPU001"
AMBIGUOUS_NAME = "HPU002"


@decides(Kind.NAME)
def name(construct: Construct, context: Context) -> Decision | None:
    found = counterpart(context.book, construct.name)
    if found is None:
        return report(construct, context, context.book[UNKNOWN_NAME], detail=construct.name)
    rule, new = found
    call = call_of(context.module, construct.node)
    if not construct.certain:
        return _ambiguous(construct, context, new if rule.arguments.suits(call) else None)
    if rule.remove:
        return _removal(construct, context, rule, call)
    if new is None:
        return report(construct, context, rule)
    if isinstance(construct.node, ast.Constant):
        return _quoted(construct, context, rule, new)
    if call is not None and not rule.arguments.unchanged:
        reason = refused(call, rule.arguments)
        if reason is not None:
            return report(construct, context, rule, Verdict.UNSUPPORTED, f"{reason}= is given")
        if has_unpacking(call) and not rule.arguments.drop_all:
            return report(construct, context, rule, Verdict.REVIEW, "arguments are unpacked")
    if call is None and rule.arguments.prepend and _is_passed_on(context, construct.node):
        return report(construct, context, rule, Verdict.REVIEW, "it is passed on, not called")
    return _renamed(construct, context, rule, new, call)


def counterpart(book: Rulebook, name: str) -> tuple[Rule, str | None] | None:
    """The rule of a dotted name and its full new name, None where it has none.

    A rule for a class serves its attributes too, if the new name exists there.
    """
    head, tail = name, ""
    while head.count(".") > 1 or not tail:
        rule = book.lookup(head)
        if rule is not None:
            if rule.replacement is None:
                return rule, None
            new = rule.replacement + tail
            if not tail or not book.api.missing([new]):
                return rule, new
        head, _, last = head.rpartition(".")
        if not head:
            break
        tail = f".{last}{tail}"
    return None


def report(
    construct: Construct,
    context: Context,
    rule: Rule,
    verdict: Verdict | None = None,
    detail: str = "",
) -> Decision:
    """Leave the code alone; a construct that HPU lacks holds the guard around it shut."""
    verdict = verdict or rule.verdict
    shown = call_of(context.module, construct.node) or construct.node
    blocks = verdict is not Verdict.NO_OP
    return Decision(construct, rule, shown, detail=detail, verdict=verdict, blocks=blocks)


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
        if text != context.module.segment(chain):
            yield context.replace(chain, text)
        if call is not None and not rule.arguments.unchanged:
            yield from edit_arguments(context, call, apply_policy(rule.arguments))

    decision.edits, decision.holds = edits, lambda: spelled() is not None
    if call is None and not rule.arguments.unchanged and _is_passed_on(context, chain):
        decision.verdict = Verdict.REVIEW
        decision.detail = "it is passed on, so check the arguments where it is called"
    if isinstance(context.module.parents[chain], (ast.Assign, ast.AnnAssign)):
        context.moved[chain] = new
    return decision


def _is_passed_on(context: Context, node: ast.AST) -> bool:
    """Whether a function is handed to a call, as a callback would be."""
    parent = context.module.parents[node]
    if isinstance(parent, ast.keyword):
        return True
    return isinstance(parent, ast.Call) and not (
        isinstance(parent.func, ast.Name) and parent.func.id in ("isinstance", "issubclass", "cast")
    )


def _removal(construct: Construct, context: Context, rule: Rule, call: ast.Call | None) -> Decision:
    statement = context.module.parents.get(call) if call is not None else None
    if not isinstance(statement, ast.Expr):
        return Decision(construct, rule, call or construct.node, detail="its value is used")
    context.removals.add(statement)
    return Decision(construct, rule, statement, edits=lambda: remove_statement(context, statement))


def _ambiguous(construct: Construct, context: Context, new: str | None) -> Decision:
    """``dev = torch.cuda`` in one branch, ``dev = torch.xpu`` in another: ``dev.f()`` follows.

    It does where the alias is rewritten and the rest of the name stays the same.
    """
    decision = report(
        construct, context, context.book[AMBIGUOUS_NAME], detail=f"perhaps {construct.name}"
    )
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
        return report(construct, context, rule)
    start, _ = context.module.span(node)
    name = re.compile(rf"\b{re.escape(construct.name)}\b(?!\.)")
    edits = [
        Edit(start + match.start(), start + match.end(), new)
        for match in name.finditer(context.module.segment(node))
    ]
    return Decision(construct, rule, node, edits=lambda: edits)
