"""Analyse one module: scan, decide, keep guards and aliases sound, and lay out the edits."""

from __future__ import annotations

import ast
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from porter.codemods.context import Context, Decision, Layout
from porter.codemods.guards import keep_guards_sound
from porter.codemods.habana import import_edit
from porter.codemods.hunks import hunk_ids, hunks
from porter.codemods.ignores import IgnoreComments
from porter.codemods.options import Options
from porter.codemods.pins import pin_aliases
from porter.codemods.registry import decide
from porter.findings import (
    Edit,
    FileResult,
    Finding,
    Status,
    apply_edits,
    edits_within,
    in_order,
)
from porter.rulebook import Rulebook
from porter.scan import Construct, Kind, Module, Resolver, Span, scan

LEFT_ALONE = "HPU013"
UNPARSABLE = "HPU004"
_WITHHELD = "withheld by the review"


def analyse_module(
    module: Module,
    book: Rulebook,
    options: Options,
    native: Collection[str],
    ignores: IgnoreComments,
) -> FileResult:
    """Every construct of ``module`` as a finding, and the edits that convert what can be.

    What ``ignores`` covers is a finding too, and not edited. Refused hunks are not
    taken out of the edits: the module is decided again with their constructs left on
    CUDA, so that guards, aliases and imports fit what is left.
    """
    watched = {*native, *options.routes, *options.routes.values()}
    constructs = [
        construct
        for construct in scan(module, book, watched)
        if not _is_settled(construct, options)
    ]
    if not constructs:
        return FileResult(module.path, (), 0)

    def analysed(refused: Mapping[Construct, str]) -> _Analysed:
        context = Context(module, Resolver(module), book, options, watched)
        _decide(context, constructs, ignores, refused)
        found = _analyse(context, refused)
        _let_go(context)
        return found

    found = analysed({})
    withheld: tuple[str, ...] = ()
    if options.selection is not None:
        refused = {
            construct: hunk
            for construct, hunk in found.hunks.items()
            if not options.selection.applies(hunk)
        }
        withheld = tuple(dict.fromkeys(refused.values()))
        found = analysed(refused) if refused else found
    return FileResult(
        module.path, found.findings, len(constructs), tuple(found.edits), withheld=withheld
    )


@dataclass(frozen=True)
class _Analysed:
    """``hunks`` are the ids of the constructs that are edited."""

    findings: tuple[Finding, ...]
    edits: list[Edit]
    hunks: Mapping[Construct, str]


def _analyse(context: Context, refused: Mapping[Construct, str]) -> _Analysed:
    """Lay out what was decided."""
    module = context.module
    edits = _edits(context)
    if not _parses(module, edits):
        _give_up(context)
        edits = []
    laid = [edit for edit, _ in context.layout.edits()]
    own = context.layout.by_decision()
    owners = _owners(context)
    counts = Counter(owners.values())
    findings = {
        decision: _finding(context, decision, counts[decision], own.get(decision, []), laid)
        for decision in context.decisions
        if owners[decision] is decision
    }
    if not (context.options.hunks or context.options.selection):
        return _Analysed(in_order(findings.values()), edits, {})
    return _with_hunks(context, findings, owners, edits, refused)


def _with_hunks(
    context: Context,
    findings: Mapping[Decision, Finding],
    owners: Mapping[Decision, Decision],
    edits: list[Edit],
    refused: Mapping[Construct, str],
) -> _Analysed:
    """A construct that was refused keeps the id of the hunk that it was in."""
    groups = hunks(context, owners.items())
    groups += [[owner] for owner, finding in findings.items() if finding.after is None]
    shown = [[findings[decision] for decision in group if decision in findings] for group in groups]
    ids: dict[Construct, str] = {}
    for group, name in zip(
        groups, hunk_ids(context.module.path, context.module, shown), strict=True
    ):
        ids |= dict.fromkeys((decision.construct for decision in group), name)
    ids |= refused
    told = (replace(finding, hunk=ids[owner.construct]) for owner, finding in findings.items())
    editable = {
        decision.construct: ids[decision.construct]
        for decision in context.decisions
        if decision.fixable
    }
    return _Analysed(in_order(told), edits, editable)


def _let_go(context: Context) -> None:
    """Cut the decisions' ties to their context: a cycle would keep the tree for long."""
    for decision in context.decisions:
        decision.edits = decision.holds = None


def _edits(context: Context) -> list[Edit]:
    """All edits of the module, the added import of the bridge among them."""
    _lay_out(context)
    laid = context.layout.edits()
    edits = [edit for edit, _ in laid]
    needing = [edit.start for edit, decision in laid if _needs_bridge(decision, edit)]
    if needing and context.options.add_imports:
        edits += import_edit(context.module, needing)
    return sorted(edits)


def _parses(module: Module, edits: list[Edit]) -> bool:
    """Whether the edited text can be parsed. Only the parts that edits touch are looked at."""
    cuts = module.cuts
    touched: dict[int, int] = {}
    for edit in edits:
        start = cuts[bisect_right(cuts, edit.start, hi=len(cuts) - 1) - 1]
        end = cuts[bisect_left(cuts, edit.end, lo=1)]
        touched[start] = max(end, touched.get(start, end))
    try:
        for span in touched.items():
            ast.parse(apply_edits(module.text[slice(*span)], edits_within(edits, span)))
    except SyntaxError:
        return False
    return True


def _give_up(context: Context) -> None:
    """A result that does not parse must never reach a file: leave this one as it was."""
    context.layout = Layout()
    for decision in context.decisions:
        if decision.fixable:
            decision.keep(context.book[UNPARSABLE], "the rewritten file would not parse")


def _is_settled(construct: Construct, options: Options) -> bool:
    """Whether a name already comes from a module of ours, with an operation behind it."""
    if construct.kind is not Kind.NATIVE or construct.name in options.routes:
        return False
    ours = any(
        construct.name == target or construct.name.startswith(f"{target}.")
        for target in options.routes.values()
    )
    return ours and (
        isinstance(construct.node, ast.alias) or options.is_implemented(construct.name)
    )


def _decide(
    context: Context,
    constructs: list[Construct],
    ignores: IgnoreComments,
    refused: Collection[Construct],
) -> None:
    for construct in constructs:
        decision = decide(construct, context)
        if decision is not None:
            context.decisions.append(decision)
    for decision in context.decisions:
        if decision.fixable and not _is_wanted(context, decision, ignores):
            decision.edits, decision.blocks = None, True
        elif decision.construct in refused:
            decision.edits, decision.blocks, decision.detail = None, True, _WITHHELD
    if all(decision.rule.neutral for decision in context.decisions):
        for decision in context.decisions:
            decision.keep(decision.rule, "nothing else in this file is CUDA's")
    _withdraw(context)
    if context.options.leaves_alone(context.module.path):
        for decision in context.decisions:
            decision.keep(context.book[LEFT_ALONE])


def _is_wanted(context: Context, decision: Decision, ignores: IgnoreComments) -> bool:
    identifier = decision.rule.id
    lines = (context.module.place(offset)[0] for offset in _span(context.module, decision))
    return context.options.selects(identifier, context.module.path) and not ignores.covers(
        identifier, *lines
    )


def _span(module: Module, decision: Decision) -> Span:
    """What a reader sees as "before"."""
    return decision.span or module.span(decision.shown)


def _withdraw(context: Context) -> None:
    """Guards and aliases keep each other's code on CUDA, until nothing more has to stay."""
    fixable = -1
    while fixable != (now := sum(decision.fixable for decision in context.decisions)):
        fixable = now
        keep_guards_sound(context)
        pin_aliases(context)


def _lay_out(context: Context) -> None:
    """Ask for all edits, the innermost construct first, so that outer edits can carry them."""

    def length(decision: Decision) -> int:
        start, end = context.module.span(decision.shown)
        return end - start

    for decision in sorted(context.decisions, key=length):
        context.layout.lay(decision)


def _owners(context: Context) -> dict[Decision, Decision]:
    """The decision whose finding tells of each: its own, or that of the edits that settle it.

    Names of one import statement that share a rule share a finding, and so do a
    routed import and the uses that need nothing more.
    """
    leaders: dict[object, Decision] = {}
    nearest: dict[Decision, Decision] = {}
    for decision in context.decisions:
        leader = leaders.setdefault(_finding_key(decision), decision)
        nearest[decision] = _consumer(context, decision) or leader
    return {decision: _last(nearest, decision) for decision in nearest}


def _last(nearest: Mapping[Decision, Decision], decision: Decision) -> Decision:
    while (owner := nearest[decision]) is not decision:
        decision = owner
    return decision


def _finding_key(decision: Decision) -> object:
    """What decisions must share to share a finding."""
    if decision.construct.kind is Kind.NATIVE and decision.fixable:
        return decision.rule.id  # uses of what our module implements move with the import
    return decision.shown, decision.rule.id


def _consumer(context: Context, decision: Decision) -> Decision | None:
    """The decision whose edit does away with this construct."""
    node = decision.construct.node
    for above in (node, *context.module.ancestors(node)):
        consumer = context.layout.consumed.get(above)
        if consumer is not None and consumer is not decision:
            return consumer
    return None


def _needs_bridge(decision: Decision, edit: Edit) -> bool:
    """Whether an edit emits a name, a device or a backend that the bridge registers."""
    if decision.construct.kind in (Kind.NATIVE, Kind.ENVIRONMENT):
        return False
    return "hpu" in edit.replacement or "hccl" in edit.replacement.lower()


def _finding(
    context: Context, decision: Decision, constructs: int, own: list[Edit], laid: list[Edit]
) -> Finding:
    """``own`` are the edits of the decision, ``laid`` those of all findings, sorted."""
    module = context.module
    start, end = _span(module, decision)
    line, column = module.place(start)
    end_line, end_column = module.place(end)
    fixable = decision.fixable
    return Finding(
        rule=decision.rule.id,
        verdict=decision.verdict or decision.rule.verdict,
        effort=decision.rule.effort,
        status=Status.FIXABLE if fixable else Status.REPORTED,
        path=module.path,
        line=line,
        column=column,
        end_line=end_line,
        end_column=end_column,
        before=module.text[start:end],
        after=_after(module, (start, end), own, laid) if fixable else None,
        message=_message(decision),
        url=decision.rule.url,
        name=decision.name or decision.construct.name,
        constructs=constructs,
        edits=tuple(own),
    )


def _after(module: Module, span: Span, own: list[Edit], laid: list[Edit]) -> str:
    """The text of a span once every edit inside it is applied."""
    start, end = span
    if any(edit.start <= start and end <= edit.end and not edit.replacement for edit in own):
        return ""
    return apply_edits(module.text[start:end], edits_within(laid, span))


def _message(decision: Decision) -> str:
    note = decision.rule.note
    return f"{decision.detail}: {note}" if decision.detail else note
