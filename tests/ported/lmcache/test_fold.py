"""hpu/fold: against the definition, in both orders, grouped and flat."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

WINDOWS = st.lists(st.integers(-1, 4), min_size=1, max_size=3)


def servable(present: list[list[bool]], windows: list[int], length: int) -> bool:
    """Whether every group has the chunks of a prefix of ``length`` that it needs."""
    for row, window in zip(present, windows, strict=True):
        first = 0 if window <= 0 else max(0, length - window)
        if not all(row[first:length]):
            return False
    return True


@given(st.data(), WINDOWS, st.integers(0, 6), st.integers(1, 3))
@pytest.mark.parametrize("module", ["native", "native_by_group"])
def test_fold(hpu, module, data, windows, chunks, ranks):
    native = hpu(module)
    groups = len(windows)
    found = native.Bitmap(groups * chunks * ranks)
    present = [[True] * chunks for _ in windows]
    for group, chunk, rank in product(range(groups), range(chunks), range(ranks)):
        if data.draw(st.booleans()):
            by_chunk = (chunk * groups + group) * ranks + rank
            by_group = (group * chunks + chunk) * ranks + rank
            found.set(by_chunk if module == "native" else by_group)
        else:
            present[group][chunk] = False
    expected = [servable(present, windows, length) for length in range(1, chunks + 1)]
    answer = native.fold(found, chunks, ranks, windows)
    assert [answer.test(chunk) for chunk in range(chunks)] == expected
    assert answer.size() == chunks
    rows = [native.Bitmap.of(row) for row in present]
    assert repr(hpu("native").fold_grouped(rows, windows)) == repr(answer)


@given(st.integers(0, 8), st.integers(0, 6), st.integers(1, 3), WINDOWS)
@pytest.mark.parametrize("module", ["native", "native_by_group"])
def test_what_is_retained_is_what_serves(hpu, module, length, chunks, ranks, windows):
    native = hpu(module)
    retained = native.unfold(length, chunks, ranks, windows)
    assert retained.size() == len(windows) * chunks * ranks
    served = native.fold(retained, chunks, ranks, windows)
    hit = min(length, chunks)
    if hit:
        assert served.test(hit - 1)
    rows = hpu("native").unfold_grouped(length, chunks, windows)
    assert retained.popcount() == ranks * sum(row.popcount() for row in rows)
    for row, window in zip(rows, windows, strict=True):
        kept = hit if window <= 0 else min(window, hit)
        assert row.get_indices_list() == list(range(hit - kept, hit))


def test_a_bitmap_that_is_too_short_lacks_the_rest(hpu):
    native = hpu("native")
    assert repr(native.fold(native.Bitmap(2, 2), 3, 1, [0])) == "110"


def test_without_groups_everything_is_served(hpu):
    native = hpu("native")
    assert repr(native.fold(native.Bitmap(0), 3, 1, [])) == "111"
    assert repr(native.fold_grouped([], [])) == ""


def test_rows_that_do_not_fit_are_refused(hpu):
    native = hpu("native")
    with pytest.raises(ValueError, match="1 rows and 2 windows"):
        native.fold_grouped([native.Bitmap(3)], [0, 1])
    with pytest.raises(ValueError, match="one size"):
        native.fold_grouped([native.Bitmap(3), native.Bitmap(4)], [0, 1])
    with pytest.raises(TypeError):
        native.unfold(-1, 3, 1, [0])
