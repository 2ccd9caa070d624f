"""Report what files that are no Python say about CUDA; they are never edited."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from porter.codemods.reporting import reported
from porter.findings import FileResult, Finding
from porter.rulebook import Rule, Rulebook
from porter.scan import Module
from porter.scan.config import mentions
from porter.scan.construct import Kind, Mention
from porter.scan.lines import Lines
from porter.scan.requirements import of_setup_script

_FALLBACK = {
    Kind.ENVIRONMENT: "HPU880",
    Kind.CONTAINER: "HPU884",
}


def analyse_config(path: str, text: str, book: Rulebook) -> FileResult:
    """Every mention of CUDA that a rule knows as a finding, none of which has an edit."""
    findings = tuple(_findings(path, text, mentions(path, text), book))
    return FileResult(path, findings, len(findings))


def is_setup_script(path: str) -> bool:
    return path.rpartition("/")[2] == "setup.py"


def with_requirements(result: FileResult, module: Module, book: Rulebook) -> FileResult:
    """The result of a setup.py, and what it requires of no use without CUDA."""
    return result.adding(_findings(module.path, module.text, of_setup_script(module), book))


def _findings(path: str, text: str, said: Iterable[Mention], book: Rulebook) -> Iterator[Finding]:
    lines = Lines(text)
    for mention in said:
        if rule := _rule(mention, book):
            span = (mention.start, mention.end)
            yield reported(rule, path, lines, span, name=mention.name)


def _rule(mention: Mention, book: Rulebook) -> Rule | None:
    """None where no rule knows it, as for a requirement that has nothing to do with CUDA."""
    if mention.kind is Kind.REQUIREMENT:
        return book.requirement(mention.name)
    rule = book.lookup(f"{mention.kind.value}:{mention.name}")
    if rule is None and mention.kind in _FALLBACK:
        return book[_FALLBACK[mention.kind]]
    return rule
