"""A cheap look at the bytes of a file: is there anything to parse it for?"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from porter.rulebook import Rule, Rulebook
from porter.scan.scanner import WORDS

_NAME = re.compile(r"\w+")


class Prefilter:
    """Passes every file that can hold a construct: one that the scanner, or a rule, matches."""

    def __init__(self, book: Rulebook, native: Collection[str]) -> None:
        neutral = [rule for rule in book if rule.neutral]
        roots = {pattern.partition(".")[0] for rule in neutral for pattern in rule.match}
        words = {word for rule in book if not rule.neutral for word in _words(rule)}
        words |= {*WORDS, *(name.rpartition(".")[2] for name in native)}
        self._pattern = _any_of(words)
        self._neutral = _any_of({word for rule in neutral for word in _words(rule)})
        self._roots = _any_of({root for root in roots if ":" not in root})

    def passes(self, data: bytes) -> bool:
        if self._pattern.search(data) is not None:
            return True
        return bool(self._roots.search(data) and self._neutral.search(data))


def _any_of(words: Collection[str]) -> re.Pattern[bytes]:
    shortest = {word for word in words if not any(w != word and w in word for w in words)}
    return re.compile("|".join(map(re.escape, sorted(shortest))).encode())


def _words(rule: Rule) -> Iterator[str]:
    """A word that occurs wherever a rule can match: the longest below the root of its name."""
    for pattern in rule.match:
        name = pattern.removesuffix(".*").rpartition(":")[2]
        scanned = ":" in pattern and rule.neutral  # what it looks for is among the WORDS
        if not scanned and not any(word in name for word in WORDS):
            yield max(_NAME.findall(name)[1:] or [name], key=len)
