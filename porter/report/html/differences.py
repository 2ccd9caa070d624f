"""What differs between a text before and after, word by word or line by line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from porter.findings import Edit

#: Words, or lines, that are compared one by one.
_COMPARED = 400

_WORDS = re.compile(r"\w+|\s+|[^\w\s]")


def applied(
    text: str, edits: Sequence[Edit]
) -> tuple[str, list[tuple[int, int]], list[tuple[int, int]]]:
    """The text after ``edits`` (sorted), and the words that differ, as spans before and after."""
    pieces: list[str] = []
    before: list[tuple[int, int]] = []
    after: list[tuple[int, int]] = []
    position = length = 0
    for edit in edits:
        kept = text[position : edit.start]
        length += len(kept)
        for tag, span, other in _words(text[edit.start : edit.end], edit.replacement):
            if tag != "equal":
                before.append((edit.start + span[0], edit.start + span[1]))
                after.append((length + other[0], length + other[1]))
        pieces += (kept, edit.replacement)
        length += len(edit.replacement)
        position = edit.end
    pieces.append(text[position:])
    return "".join(pieces), before, after


def _words(old: str, new: str) -> Iterator[tuple[str, tuple[int, int], tuple[int, int]]]:
    """What two texts share and what not, word by word, as spans of each."""
    olds, news = _WORDS.findall(old), _WORDS.findall(new)
    at, to = _offsets(olds), _offsets(news)
    for tag, first, last, other, end in compared(olds, news):
        yield tag, (at[first], at[last]), (to[other], to[end])


def compared(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, int, int, int, int]]:
    """The opcodes of a SequenceMatcher; what differs at a length is replaced as a whole."""
    shortest = min(len(old), len(new))
    lead = next((i for i in range(shortest) if old[i] != new[i]), shortest)
    rest = shortest - lead
    trail = next((i for i in range(rest) if old[-1 - i] != new[-1 - i]), rest)
    ends = len(old) - trail, len(new) - trail
    if lead:
        yield "equal", 0, lead, 0, lead
    inner = old[lead : ends[0]], new[lead : ends[1]]
    if len(inner[0]) + len(inner[1]) > _COMPARED:
        yield "replace", lead, ends[0], lead, ends[1]
    else:
        for tag, first, last, other, end in SequenceMatcher(None, *inner, False).get_opcodes():
            yield tag, first + lead, last + lead, other + lead, end + lead
    if trail:
        yield "equal", ends[0], len(old), ends[1], len(new)


def _offsets(words: Sequence[str]) -> list[int]:
    offsets = [0]
    for word in words:
        offsets.append(offsets[-1] + len(word))
    return offsets
