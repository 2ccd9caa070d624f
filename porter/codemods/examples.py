"""Run the examples that the rules carry: they are their tests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from enum import Enum

from porter.codemods.engine import analyse_text
from porter.codemods.options import Options
from porter.findings import Finding, Status, apply_edits
from porter.rulebook import Example, Rule, Rulebook
from porter.rulebook.skeleton import TODO


class Outcome(str, Enum):
    """``noisy``: a valid example is found. ``missing``: an invalid one is not.
    ``wrong``: it is found, but becomes something else. ``unfinished``: its rule,
    or the example itself, is the skeleton that it began as."""

    PASSED = "passed"
    NOISY = "noisy"
    MISSING = "missing"
    WRONG = "wrong"
    UNFINISHED = "unfinished"


@dataclass(frozen=True)
class Case:
    """One example of a rule, which it matches or not."""

    name: str
    rule: str
    example: Example
    matches: bool


@dataclass(frozen=True)
class Check:
    case: Case
    outcome: Outcome
    detail: str = ""


def cases(book: Rulebook) -> Iterator[Case]:
    """The examples of all rules; a name is a rule id, the kind of example, and its number."""
    for rule in book:
        for number, code in enumerate(rule.valid, 1):
            yield Case(f"{rule.id}-valid-{number}", rule.id, Example(code), matches=False)
        for number, example in enumerate(rule.invalid, 1):
            yield Case(f"{rule.id}-invalid-{number}", rule.id, example, matches=True)


def check(case: Case, book: Rulebook) -> Check:
    """Analyse one example; ``detail`` shows in lines of text what is not as it should be."""
    example = case.example
    if unwritten := list(_unwritten(case, book[case.rule])):
        return Check(case, Outcome.UNFINISHED, "\n".join(unwritten))
    options = Options(
        routes=example.routes,
        implemented=frozenset(example.implemented),
        cuda_only=example.cuda_only,
        add_imports=False,
    )
    result = analyse_text(example.path, example.code, book, options, example.native)
    found = [finding for finding in result.findings if finding.rule == case.rule]
    if not case.matches:
        return _noisy(case, found) if found else Check(case, Outcome.PASSED)
    if not found:
        others = ", ".join(sorted({finding.rule for finding in result.findings})) or "nothing"
        return Check(case, Outcome.MISSING, f"{example.code.rstrip()}\nfound: {others}")
    after = apply_edits(example.code, result.edits)
    expected = example.code if example.after is None else example.after
    if after != expected:
        return Check(case, Outcome.WRONG, _difference(expected, after))
    if example.after is None and any(finding.status is not Status.REPORTED for finding in found):
        return Check(case, Outcome.WRONG, f"{example.code.rstrip()}\nrewritten, not reported")
    return Check(case, Outcome.PASSED)


def _unwritten(case: Case, rule: Rule) -> Iterator[str]:
    """The texts that are still to be written."""
    for text in (rule.note, *rule.source, *case.example.code.strip().splitlines()):
        if TODO in text:
            yield text


def _noisy(case: Case, found: Sequence[Finding]) -> Check:
    places = "\n".join(f"line {finding.line}: {finding.before}" for finding in found)
    return Check(case, Outcome.NOISY, f"{case.example.code.rstrip()}\nfound: {places}")


def _difference(expected: str, after: str) -> str:
    lines = unified_diff(
        expected.splitlines(), after.splitlines(), "expected", "becomes", lineterm=""
    )
    return "\n".join(lines) or f"expected {expected!r}\nbecomes  {after!r}"
