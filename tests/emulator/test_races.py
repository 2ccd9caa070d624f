"""Two streams race where they share a byte, and only there."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="the emulator's tests need torch")

from porter import emulator  # noqa: E402

SHAPES = st.lists(st.integers(1, 6), min_size=1, max_size=4)


@pytest.fixture(scope="module", autouse=True)
def device() -> None:
    emulator.install()
    import habana_frameworks.torch  # noqa: F401, PLC0415


@st.composite
def cuts(draw: st.DrawFn, shape: list[int]) -> tuple[slice, ...]:
    """A slice for each dimension; none is empty."""
    cut = []
    for size in shape:
        start = draw(st.integers(0, size - 1))
        stop = draw(st.integers(start + 1, size))
        cut.append(slice(start, stop, draw(st.integers(1, 3))))
    return tuple(cut)


def races(shape: list[int], first: Any, second: Any) -> bool:
    """Whether two streams that write these two slices are reported."""
    base = torch.zeros(shape, device="hpu")
    torch.hpu.synchronize()
    emulator.forget()
    with torch.hpu.stream(torch.hpu.Stream()):
        base[first].add_(1)
    base[second].add_(1)
    found = [report.rule for report in emulator.reports()]
    torch.hpu.synchronize()
    emulator.forget()
    assert set(found) <= {"stream-race"}
    return bool(found)


def share(shape: list[int], first: Any, second: Any) -> bool:
    cells = torch.arange(math.prod(shape)).view(shape)
    return bool(set(cells[first].flatten().tolist()) & set(cells[second].flatten().tolist()))


@settings(deadline=None, max_examples=300)
@given(data=st.data(), shape=SHAPES)
def test_slices_race_where_they_share_a_byte(data: st.DataObject, shape: list[int]) -> None:
    first, second = (data.draw(cuts(shape)) for _ in range(2))
    assert races(shape, first, second) == share(shape, first, second)
