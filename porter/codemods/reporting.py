"""Findings of what is never edited, from its place in the text."""

from __future__ import annotations

from porter.findings import Finding, Status
from porter.rulebook import Rule
from porter.scan.lines import Lines
from porter.scan.module import Span


def reported(
    rule: Rule, path: str, lines: Lines, span: Span, *, detail: str = "", name: str = ""
) -> Finding:
    """What ``rule`` says about the text in ``span``; ``detail`` goes before its note."""
    start, end = span
    line, column = lines.place(start)
    end_line, end_column = lines.place(end)
    return Finding(
        rule=rule.id,
        verdict=rule.verdict,
        effort=rule.effort,
        status=Status.REPORTED,
        path=path,
        line=line,
        column=column,
        end_line=end_line,
        end_column=end_column,
        before=lines.text[start:end],
        after=None,
        message=f"{detail}: {rule.note}" if detail else rule.note,
        url=rule.url,
        name=name,
    )
