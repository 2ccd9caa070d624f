"""Which decisions of a module can only be taken together, and what each hunk is called.

A hunk is the least that a reviewer may refuse alone. Refusing it leaves its
constructs on CUDA, so whatever the rules for guards and aliases would withdraw
with them belongs to it: a guard and what runs only if it holds, an import and
its uses, edits that carry other edits.
"""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from hashlib import sha256

from porter.codemods.context import Context, Decision
from porter.codemods.guards import opened_guards
from porter.codemods.pins import aliases
from porter.findings import Finding
from porter.scan.lines import Lines

#: Lines above and below a finding that must be the same for a decision to hold, and how many
#: characters of them at most.
_CONTEXT, _CONTEXT_LENGTH = 3, 500
_ID_LENGTH = 16


def hunks(context: Context, together: Iterable[tuple[Decision, Decision]]) -> list[list[Decision]]:
    """The decisions with edits, by hunk; ``together`` are pairs that share a finding.

    Hunks, and the decisions in them, are in the order of the text.
    """
    groups = _Groups(decision for decision in context.decisions if decision.fixable)
    for one, other in (*together, *_joined(context)):
        groups.join(one, other)
    return groups.all()


def _joined(context: Context) -> Iterator[tuple[Decision, Decision]]:
    yield from opened_guards(context)
    yield from context.layout.carried
    by_node = {decision.construct.node: decision for decision in context.decisions}
    sharing: dict[ast.AST, Decision] = {}
    for decision in context.decisions:
        for alias in aliases(context, decision, by_node):
            yield decision, alias
        for shared in _shared(context, decision):
            yield decision, sharing.setdefault(shared, decision)


def _shared(context: Context, decision: Decision) -> Iterator[ast.AST]:
    """Nodes whose edits depend on all decisions in them."""
    node = decision.construct.node
    parent = context.module.parents[node]
    if isinstance(node, ast.alias) and isinstance(parent, ast.ImportFrom):
        yield parent
    if isinstance(decision.shown, ast.stmt) and decision.shown in context.removals:
        block = context.module.block_of(decision.shown)
        if all(statement in context.removals for statement in block):
            yield block[0]
    for above in context.module.ancestors(node):
        if isinstance(above, ast.stmt):
            if isinstance(above, ast.Assert):
                yield above
            break


class _Groups:
    """Disjoint sets of decisions."""

    def __init__(self, decisions: Iterable[Decision]) -> None:
        self._above = {decision: decision for decision in decisions}

    def join(self, one: Decision, other: Decision) -> None:
        if one in self._above and other in self._above:
            self._above[self._top(one)] = self._top(other)

    def all(self) -> list[list[Decision]]:
        found: dict[Decision, list[Decision]] = {}
        for decision in self._above:
            found.setdefault(self._top(decision), []).append(decision)
        return list(found.values())

    def _top(self, decision: Decision) -> Decision:
        while (above := self._above[decision]) is not decision:
            self._above[decision] = self._above[above]
            decision = above
        return decision


def hunk_ids(path: str, lines: Lines, groups: Sequence[Sequence[Finding]]) -> list[str]:
    """An id for each group of findings, made from what a reviewer sees of it.

    That is the path, the rules, the code before and after and the lines around,
    but no line number. Groups that are alike in all of that are numbered, and how
    many they are is part of the id.
    """
    contents = [_content(path, lines, group) for group in groups]
    alike, seen = Counter(contents), Counter[str]()
    ids: list[str] = []
    for content in contents:
        seen[content] += 1
        ids.append(_digest([content, seen[content], alike[content]]))
    return ids


def each_alone(path: str, text: str, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings, those without a hunk with the id of one of their own."""
    ids = iter(hunk_ids(path, Lines(text), [[found] for found in findings if not found.hunk]))
    return tuple(found if found.hunk else replace(found, hunk=next(ids)) for found in findings)


def _content(path: str, lines: Lines, group: Sequence[Finding]) -> str:
    parts = [
        [
            finding.rule,
            finding.before,
            finding.after,
            _around(lines, finding),
            [[lines.text[edit.start : edit.end], edit.replacement] for edit in finding.edits],
        ]
        for finding in group
    ]
    return _digest([path, parts])


def _around(lines: Lines, finding: Finding) -> list[str]:
    start = lines.at(finding.line, finding.column)
    end = lines.at(finding.end_line, finding.end_column)
    first = lines.starts[max(finding.line - 1 - _CONTEXT, 0)]
    last = finding.end_line + _CONTEXT
    limit = lines.starts[last] if last < len(lines.starts) else len(lines.text)
    return [
        lines.text[max(first, start - _CONTEXT_LENGTH) : start],
        lines.text[end : min(limit, end + _CONTEXT_LENGTH)],
    ]


def _digest(content: object) -> str:
    return sha256(json.dumps(content).encode()).hexdigest()[:_ID_LENGTH]
