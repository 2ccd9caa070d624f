"""Report what files that are no Python say about CUDA; they are never edited."""

from __future__ import annotations

from porter.codemods.hunks import each_alone
from porter.findings import FileResult, Finding, Status
from porter.rulebook import Rule, Rulebook
from porter.scan.config import Mention, mentions
from porter.scan.construct import Kind
from porter.scan.lines import Lines

_FALLBACK = {
    Kind.ENVIRONMENT: "HPU880",
    Kind.CONTAINER: "HPU884",
}


def analyse_config(path: str, text: str, book: Rulebook, hunks: bool = False) -> FileResult:
    """Every mention of CUDA that a rule knows as a finding, none of which has an edit."""
    lines = Lines(text)
    findings: list[Finding] = []
    for mention in mentions(path, text):
        if rule := _rule(mention, book):
            line, column = lines.place(mention.start)
            end_line, end_column = lines.place(mention.end)
            findings.append(
                Finding(
                    rule=rule.id,
                    verdict=rule.verdict,
                    effort=rule.effort,
                    status=Status.REPORTED,
                    path=path,
                    line=line,
                    column=column,
                    end_line=end_line,
                    end_column=end_column,
                    before=text[mention.start : mention.end],
                    after=None,
                    message=rule.note,
                    url=rule.url,
                    name=mention.name,
                )
            )
    named = each_alone(path, text, findings) if hunks else findings
    return FileResult(path, tuple(named), len(findings))


def _rule(mention: Mention, book: Rulebook) -> Rule | None:
    """None only for a requirement that has nothing to do with CUDA."""
    if mention.kind is Kind.REQUIREMENT:
        return book.requirement(mention.name)
    rule = book.lookup(f"{mention.kind.value}:{mention.name}")
    return book[_FALLBACK[mention.kind]] if rule is None else rule
