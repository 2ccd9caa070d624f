"""A cheap look at the bytes of a file: is there anything to parse it for?"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from porter.rulebook import Rulebook
from porter.scan.scanner import DEVICE_WORD, WORDS

_NAME = re.compile(r"\w+")
#: Kinds whose names stand in no Python file, or not as they are.
_UNSEEN = frozenset({"dynamic", "requirement"})


class Prefilter:
    """Passes every file that can hold a construct: one that the scanner, or a rule, matches."""

    def __init__(self, book: Rulebook, native: Collection[str]) -> None:
        words = {name.rpartition(".")[2] for name in native}
        neutral: set[str] = set()
        roots: set[str] = set()
        for rule in book:
            for pattern in rule.match:
                if rule.neutral and ":" not in pattern:
                    neutral |= {*_words(pattern)}
                    roots.add(pattern.partition(".")[0])
                else:
                    words |= {*_words(pattern)}
        self._parts = _any_of(WORDS)
        self._words, self._neutral, self._roots = map(_any_word_of, (words, neutral, roots))

    def passes(self, data: bytes) -> bool:
        if self._parts.search(data) or self._words.search(data) or DEVICE_WORD.search(data):
            return True
        return bool(self._roots.search(data) and self._neutral.search(data))


def _any_of(parts: Collection[str]) -> re.Pattern[bytes]:
    shortest = {part for part in parts if not any(p != part and p in part for p in parts)}
    return re.compile("|".join(map(re.escape, sorted(shortest))).encode())


def _any_word_of(words: Collection[str]) -> re.Pattern[bytes]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(words)))})(?!\w)".encode())


def _words(pattern: str) -> Iterator[str]:
    """The last part of a name: a whole word wherever a match can be, however it is imported."""
    kind, _, name = pattern.removesuffix(".*").rpartition(":")
    if kind not in _UNSEEN and not any(word in name for word in WORDS):
        yield _NAME.findall(name)[-1]
