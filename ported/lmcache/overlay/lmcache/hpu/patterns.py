"""Sequences of token ids in longer ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


class ParallelPatternMatcher:
    """Every place of ``pattern``; raises ValueError if it is empty."""

    def __init__(self, pattern: Sequence[int]) -> None:
        self._pattern = _pattern(pattern, "pattern")

    def match(self, data: Sequence[int]) -> list[int]:
        """Where it starts in ``data``, in ascending order; places may overlap."""
        return list(_places(list(data), self._pattern))


class RangePatternMatcher:
    """Ranges from ``start_pattern`` to the first ``end_pattern`` after it.

    Raises ValueError if either is empty.
    """

    def __init__(self, start_pattern: Sequence[int], end_pattern: Sequence[int]) -> None:
        self._start = _pattern(start_pattern, "start_pattern")
        self._end = _pattern(end_pattern, "end_pattern")

    def match(self, data: Sequence[int]) -> list[tuple[int, int]]:
        """(first, behind the last) of each range, patterns included; ranges do not overlap."""
        tokens = list(data)
        ranges = []
        start = next(_places(tokens, self._start), None)
        while start is not None:
            after = start + len(self._start)
            end = next(_places(tokens, self._end, after), None)
            if end is None:
                break
            after = end + len(self._end)
            ranges.append((start, after))
            start = next(_places(tokens, self._start, after), None)
        return ranges


def _places(tokens: list[int], pattern: list[int], start: int = 0) -> Iterator[int]:
    while True:
        try:
            start = tokens.index(pattern[0], start)
        except ValueError:
            return
        if tokens[start : start + len(pattern)] == pattern:
            yield start
        start += 1


def _pattern(pattern: Sequence[int], name: str) -> list[int]:
    if not len(pattern):
        raise ValueError(f"{name} is empty")
    return list(pattern)
