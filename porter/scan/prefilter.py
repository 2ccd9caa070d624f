"""A cheap look at the bytes of a file: is there anything to parse it for?"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from porter.rulebook import Rulebook
from porter.scan.scanner import WORDS

_NAME = re.compile(r"\w+")
#: Kinds whose names stand in no Python file, or not as they are.
_UNSEEN = frozenset({"dynamic", "requirement"})


class Prefilter:
    """Passes every file that can hold a construct: one that the scanner, or a rule, matches."""

    def __init__(self, book: Rulebook, native: Collection[str]) -> None:
        words = {*WORDS, *(name.rpartition(".")[2] for name in native)}
        neutral: set[str] = set()
        roots: set[str] = set()
        for rule in book:
            for pattern in rule.match:
                if rule.neutral and ":" not in pattern:
                    neutral |= {*_words(pattern)}
                    roots.add(pattern.partition(".")[0])
                else:
                    words |= {*_words(pattern)}
        self._pattern = _any_of(words)
        self._neutral, self._roots = _any_of(neutral), _any_of(roots)

    def passes(self, data: bytes) -> bool:
        if self._pattern.search(data) is not None:
            return True
        return bool(self._roots.search(data) and self._neutral.search(data))


def _any_of(words: Collection[str]) -> re.Pattern[bytes]:
    shortest = {word for word in words if not any(w != word and w in word for w in words)}
    return re.compile("|".join(map(re.escape, sorted(shortest))).encode())


def _words(pattern: str) -> Iterator[str]:
    """A word that occurs wherever a match can be: the longest below the root of its name."""
    kind, _, name = pattern.removesuffix(".*").rpartition(":")
    if kind not in _UNSEEN and not any(word in name for word in WORDS):
        yield max(_NAME.findall(name)[1:] or [name], key=len)
