"""hpu/bitmap: against a list of bools, and its refusals."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

BITS = st.lists(st.booleans(), max_size=40)


@given(BITS, BITS)
def test_it_says_what_its_bits_say(hpu, one, two):
    bitmap_of = hpu("bitmap").Bitmap.of
    first, second = bitmap_of(one), bitmap_of(two)
    found = [place for place, bit in enumerate(one) if bit]
    assert (first.size(), len(first), first.popcount()) == (len(one), len(one), len(found))
    assert first.get_indices_list() == found
    assert first.get_indices_set() == set(found)
    assert first.highest_set_bit() == max(found, default=-1)
    assert first.count_leading_zeros() == [*one, True].index(True)
    assert first.count_leading_ones() == [*one, False].index(False)
    assert [first.test(place) for place in range(len(one) + 2)] == [*one, False, False]
    assert first.gather("abcdefgh") == [
        item for item, bit in zip("abcdefgh", one, strict=False) if bit
    ]
    assert repr(first) == "".join("01"[bit] for bit in one)
    assert repr(first & second) == repr(bitmap_of(a and b for a, b in zip(one, two, strict=False)))
    assert repr(first | second) == repr(bitmap_of(a or b for a, b in zip(one, two, strict=False)))
    assert repr(~first) == repr(bitmap_of(not bit for bit in one))


@given(st.integers(0, 20), st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_what_is_set_and_cleared(hpu, size, prefix, start, end):
    bitmap = hpu("bitmap").Bitmap(size, prefix)
    expected = [place < prefix for place in range(size)]
    assert repr(bitmap) == repr(hpu("bitmap").Bitmap.of(expected))
    bitmap.set_range(start, end)
    bitmap.batched_set([start, end])
    bitmap.clear(prefix)
    expected = [place < prefix or start <= place < end for place in range(size)]
    for place in (start, end):
        if place < size:
            expected[place] = True
    if prefix < size:
        expected[prefix] = False
    assert repr(bitmap) == repr(hpu("bitmap").Bitmap.of(expected))


def test_a_copy_is_independent(hpu):
    bitmap = hpu("bitmap").Bitmap(3)
    copy = bitmap.copy()
    bitmap.set(1)
    assert (repr(bitmap), repr(copy)) == ("010", "000")


def test_threads_lose_no_bit(hpu):
    bitmap = hpu("bitmap").Bitmap(4000)
    with ThreadPoolExecutor(4) as threads:
        for first in range(4):
            threads.submit(lambda first=first: bitmap.batched_set(range(first, 4000, 4)))
    assert bitmap.popcount() == 4000


@pytest.mark.parametrize("wrong", [-1, 1.5, "1", None])
def test_what_is_no_natural_number_is_refused(hpu, wrong):
    bitmap = hpu("bitmap").Bitmap(3)
    for call in (hpu("bitmap").Bitmap, bitmap.set, bitmap.clear, bitmap.test):
        with pytest.raises(TypeError):
            call(wrong)
    with pytest.raises(TypeError):
        bitmap.set_range(wrong, 2)
    with pytest.raises(TypeError):
        bitmap & wrong
    assert repr(bitmap) == "000"
