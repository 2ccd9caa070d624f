"""Two streams race where they share a byte, and only there."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="the emulator's tests need torch")

from porter import emulator  # noqa: E402

pytestmark = pytest.mark.usefixtures("device")
SHAPES = st.lists(st.integers(1, 6), min_size=1, max_size=4)


@st.composite
def cuts(draw: st.DrawFn, shape: list[int]) -> tuple[slice, ...]:
    """A slice for each dimension; none is empty."""
    cut = []
    for size in shape:
        start = draw(st.integers(0, size - 1))
        stop = draw(st.integers(start + 1, size))
        cut.append(slice(start, stop, draw(st.integers(1, 3))))
    return tuple(cut)


def write(base: Any, where: Any) -> None:
    if isinstance(where, torch.Tensor):
        base[where.to("hpu")] = torch.ones((), device="hpu")
    else:
        base[where].add_(1)


def races(shape: list[int], first: Any, second: Any) -> bool:
    """Whether two streams that write these two parts are reported."""
    base = torch.zeros(shape, device="hpu")
    torch.hpu.synchronize()
    emulator.forget()
    with torch.hpu.stream(torch.hpu.Stream()):
        write(base, first)
    write(base, second)
    found = [report.rule for report in emulator.reports()]
    torch.hpu.synchronize()
    emulator.forget()
    assert set(found) <= {"stream-race"}
    return bool(found)


def share(shape: list[int], first: Any, second: Any) -> bool:
    cells = torch.arange(math.prod(shape)).view(shape)
    return bool(set(cells[first].flatten().tolist()) & set(cells[second].flatten().tolist()))


@st.composite
def picks(draw: st.DrawFn, shape: list[int]) -> Any:
    """Rows by an index: in any order, some twice, counted from the end or not, or none."""
    rows = draw(st.lists(st.integers(-shape[0], shape[0] - 1), max_size=8))
    return torch.tensor(rows, dtype=draw(st.sampled_from([torch.int32, torch.int64])))


@settings(deadline=None, max_examples=300)
@given(data=st.data(), shape=SHAPES)
def test_slices_race_where_they_share_a_byte(data: st.DataObject, shape: list[int]) -> None:
    first, second = (data.draw(cuts(shape)) for _ in range(2))
    assert races(shape, first, second) == share(shape, first, second)


@settings(deadline=None, max_examples=300)
@given(data=st.data(), shape=SHAPES)
def test_rows_race_where_they_share_a_byte(data: st.DataObject, shape: list[int]) -> None:
    first = data.draw(picks(shape))
    second = data.draw(st.one_of(cuts(shape), picks(shape)))
    assert races(shape, first, second) == share(shape, first, second)


def test_rows_of_a_view_with_gaps() -> None:
    """Keys and values side by side: the rows of one lie between those of the other."""
    kv = torch.zeros(4, 2, 8, device="hpu")
    rows = torch.tensor([0, 3], device="hpu")
    torch.hpu.synchronize()
    emulator.forget()
    with torch.hpu.stream(torch.hpu.Stream()):
        kv[:, 0].index_fill_(0, rows, 1)
    kv[:, 1].index_fill_(0, rows, 1)
    assert not emulator.reports()
    kv[:, 0].index_fill_(0, rows, 1)
    assert [report.rule for report in emulator.reports()] == ["stream-race"]
    torch.hpu.synchronize()
    emulator.forget()
