"""hpu/patterns: against a search at every place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

TOKENS = st.lists(st.integers(0, 2), max_size=30)
PATTERN = st.lists(st.integers(0, 2), min_size=1, max_size=3)


def places(data: list[int], pattern: list[int], start: int = 0) -> list[int]:
    return [i for i in range(start, len(data)) if data[i : i + len(pattern)] == pattern]


@given(TOKENS, PATTERN)
def test_every_place_is_found(hpu, data, pattern):
    assert hpu("patterns").ParallelPatternMatcher(pattern).match(data) == places(data, pattern)


@given(TOKENS, PATTERN, PATTERN)
def test_ranges_are_the_shortest_and_do_not_overlap(hpu, data, start, end):
    expected, after = [], 0
    for first in places(data, start):
        ends = places(data, end, first + len(start))
        if first >= after and ends:
            after = ends[0] + len(end)
            expected.append((first, after))
    assert hpu("patterns").RangePatternMatcher(start, end).match(data) == expected


def test_an_empty_pattern_is_refused(hpu):
    patterns = hpu("patterns")
    with pytest.raises(ValueError, match="pattern is empty"):
        patterns.ParallelPatternMatcher([])
    with pytest.raises(ValueError, match="end_pattern is empty"):
        patterns.RangePatternMatcher([1], [])
