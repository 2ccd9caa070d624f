"""What makes a finding the same one after the lines around it moved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import sha256

from porter.findings import Finding


def code_of(finding: Finding) -> str:
    """The construct without its layout."""
    return " ".join(finding.before.split())


def fingerprints(findings: Iterable[Finding], place: str) -> Iterator[str]:
    """One for each of a file's findings: of rule, place, code, and which of equal ones it is."""
    seen: Counter[tuple[str, str]] = Counter()
    for finding in findings:
        key = (finding.rule, code_of(finding))
        seen[key] += 1
        text = repr((*key, place, seen[key]))
        yield sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
