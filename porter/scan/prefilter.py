"""A cheap look at the bytes of a file: is there anything to parse it for?"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from porter.rulebook import Rulebook
from porter.scan.scanner import WORDS

_NAME = re.compile(r"\w+")


class Prefilter:
    """Passes every file that can hold a construct: one that the scanner, or a rule, matches."""

    def __init__(self, book: Rulebook, native: Collection[str]) -> None:
        words = {*WORDS, *_rule_words(book), *(name.rpartition(".")[2] for name in native)}
        shortest = {word for word in words if not any(w != word and w in word for w in words)}
        self._pattern = re.compile("|".join(map(re.escape, sorted(shortest))).encode())

    def passes(self, data: bytes) -> bool:
        return self._pattern.search(data) is not None


def _rule_words(book: Rulebook) -> Iterator[str]:
    """A word that occurs wherever a rule can match: the longest part of its name."""
    for rule in book:
        for pattern in rule.match:
            name = pattern.removesuffix(".*").rpartition(":")[2]
            if not any(word in name for word in WORDS):
                yield max(_NAME.findall(name), key=len)
