"""Indices out of range: an error, or on demand a filler that is counted."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import product
from types import ModuleType
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the emulator's tests need torch")

functional = torch.nn.functional


@pytest.fixture(scope="module", autouse=True)
def native() -> ModuleType:
    from porter.emulator import install  # noqa: PLC0415
    from porter.emulator.build import load  # noqa: PLC0415

    install()
    import habana_frameworks.torch  # noqa: F401, PLC0415

    return load()


@pytest.fixture(autouse=True)
def strict(native: ModuleType) -> Iterator[None]:
    native.set_index_policy("strict")
    yield
    native.set_index_policy("strict")


@pytest.fixture
def counted(native: ModuleType, strict: None) -> Callable[[], dict[str, int]]:
    """Lenient from here on; the call says what has been counted since."""
    native.set_index_policy("lenient")
    before = native.index_counts()

    def counted() -> dict[str, int]:
        now = native.index_counts()
        return {op: now[op] - before.get(op, 0) for op in now if now[op] != before.get(op, 0)}

    return counted


def hpu(values: Any, dtype: Any = None) -> Any:
    return torch.tensor(values, dtype=dtype, device="hpu")


def rows(like: Any) -> Any:
    """[[0, 1], [2, 3], [4, 5]], on the device of ``like``."""
    return torch.arange(6.0, device=like.device).reshape(3, 2)


def ones(like: Any, *shape: int) -> Any:
    return torch.ones(*shape, device=like.device)


READS = {
    "index_select": lambda i: rows(i).index_select(0, i),
    "index_select, out": lambda i: torch.index_select(rows(i), 0, i, out=ones(i, 0)),
    "embedding": lambda i: functional.embedding(i, rows(i)),
    "one_hot": lambda i: functional.one_hot(i, 3),
    "gather": lambda i: rows(i).gather(0, i.unsqueeze(1)),
    "gather, out": lambda i: torch.gather(rows(i), 0, i.unsqueeze(1), out=ones(i, 0)),
}
WRITES = {
    "index_copy": lambda i: rows(i).index_copy(0, i, ones(i, len(i), 2)),
    "index_copy_": lambda i: rows(i).index_copy_(0, i, ones(i, len(i), 2)),
    "index_copy, out": lambda i: torch.index_copy(
        rows(i), 0, i, ones(i, len(i), 2), out=ones(i, 0)
    ),
    "index_add": lambda i: rows(i).index_add(0, i, ones(i, len(i), 2)),
    "index_add_": lambda i: rows(i).index_add_(0, i, ones(i, len(i), 2), alpha=2),
    "index_add, out": lambda i: torch.index_add(rows(i), 0, i, ones(i, len(i), 2), out=ones(i, 0)),
    "index_reduce": lambda i: rows(i).index_reduce(0, i, ones(i, len(i), 2), "prod"),
    "index_reduce_": lambda i: rows(i).index_reduce_(0, i, ones(i, len(i), 2), "amax"),
    "index_fill_": lambda i: rows(i).index_fill_(0, i, 7),
    "embedding_renorm_": lambda i: torch.embedding_renorm_(rows(i), i, 9.0, 2.0),
    "index_fill": lambda i: rows(i).index_fill(0, i, torch.tensor(7.0, device=i.device)),
}
ELEMENTS = {
    "scatter": lambda i: rows(i).scatter(0, i.unsqueeze(1), 7.0),
    "scatter_": lambda i: rows(i).scatter_(0, i.unsqueeze(1), ones(i, len(i), 1)),
    "scatter, reduce": lambda i: rows(i).scatter(0, i.unsqueeze(1), 7.0, reduce="add"),
    "scatter_add": lambda i: rows(i).scatter_add(0, i.unsqueeze(1), ones(i, len(i), 1)),
    "scatter_add_": lambda i: rows(i).scatter_add_(0, i.unsqueeze(1), ones(i, len(i), 1)),
    "scatter_reduce": lambda i: rows(i).scatter_reduce(
        0, i.unsqueeze(1), ones(i, len(i), 1), "sum"
    ),
    "scatter_reduce_": lambda i: rows(i).scatter_reduce_(
        0, i.unsqueeze(1), ones(i, len(i), 1), "sum"
    ),
}


def from_end(case: str) -> bool:
    return case.startswith("index_fill")


@pytest.mark.parametrize("case", [*READS, *WRITES, *ELEMENTS])
@pytest.mark.parametrize("outside", [-1, 3])
def test_strict_names_op_index_and_bound(case: str, outside: int) -> None:
    if from_end(case) and outside < 0:
        outside = -4
    run = {**READS, **WRITES, **ELEMENTS}[case]
    with pytest.raises(IndexError) as raised:
        run(hpu([2, outside]))
    message = str(raised.value)
    assert message.startswith(case.partition(",")[0].rstrip("_"))
    assert f"index {outside} at position 1 is out of range" in message
    assert message.endswith(", 3)")
    assert "\n" not in message


@pytest.mark.parametrize("case", [*READS, *WRITES, *ELEMENTS])
def test_indices_in_range_are_as_on_the_cpu(
    case: str, counted: Callable[[], dict[str, int]]
) -> None:
    run = {**READS, **WRITES, **ELEMENTS}[case]
    result = run(hpu([2, 0]))
    assert result.device.type == "hpu"
    assert torch.equal(result.cpu(), run(torch.tensor([2, 0])))
    assert counted() == {}


PAGES = {
    "rows of pages": lambda x: (x, 0, x[:2] + 1),
    "counted from the end": lambda x: (x, -3, x[:2] + 1),
    "bytes": lambda x: (x.to(torch.uint8), 0, x[:2].to(torch.uint8) + 1),
    "8 bit floats": lambda x: (x.to(torch.float8_e4m3fn), 0, x[1:3].to(torch.float8_e4m3fn)),
    "rows of a slice": lambda x: (x[1:], 0, x[:2] + 1),
    "rows with gaps": lambda x: (x[:, 1:], 0, x[:2, 1:] + 1),
    "a source with gaps": lambda x: (x, 0, (x + 1)[::2][:2]),
    "an expanded source": lambda x: (x, 0, (x[:1] + 1).expand(2, -1, -1)),
    "turned round": lambda x: (x.transpose(0, 1), 0, x.transpose(0, 1)[:2] + 1),
    "another dimension": lambda x: (x, 1, x[:, :2] + 1),
    "numbers": lambda x: (x[:, 0, 0].clone(), 0, x[:2, 1, 1]),
    "wrong dtype": lambda x: (x, 0, x[:2].float()),
    "wrong width": lambda x: (x, 0, x[:2, :, 1:]),
    "wrong count": lambda x: (x, 0, x[:3]),
    "onto itself": lambda x: (x, 0, x[1:3]),
}


# The device has a kernel of its own for whole rows; what is not that goes to the CPU's.
@pytest.mark.parametrize("case", PAGES)
@pytest.mark.parametrize("rows", [[2, 0], [1, 1]])
def test_index_copy_is_as_on_the_cpu(case: str, rows: list[int]) -> None:
    def written(device: str) -> Any:
        pages = torch.arange(60, device=device).view(5, 3, 4).to(torch.bfloat16)
        into, dim, source = PAGES[case](pages)
        if rows[0] == rows[1]:  # else it is not defined which of the two stays
            source = source.narrow(dim, 0, 1).expand_as(source)
        try:
            result = into.index_copy_(dim, torch.tensor(rows, device=device), source)
        except (RuntimeError, IndexError) as error:
            return str(error).split("\n")[0]
        assert result is into
        return pages.tolist(), into.float().tolist()

    assert written("hpu") == written("cpu")


def test_a_captured_index_copy_copies_again() -> None:
    pages, source = torch.zeros(4, 2, device="hpu"), torch.ones(2, 2, device="hpu")
    ids, graph = torch.tensor([3, 1], device="hpu"), torch.hpu.HPUGraph()
    with torch.hpu.graph(graph):
        pages.index_copy_(0, ids, source)
    source.fill_(7)
    ids.copy_(torch.tensor([0, 2]))
    graph.replay()
    assert pages[[0, 2]].tolist() == [[7, 7], [7, 7]]


# torch's one_hot takes int64 only.
@pytest.mark.parametrize(
    ("case", "dtype"),
    [*product(READS, [torch.int64]), *product(sorted({*READS} - {"one_hot"}), [torch.int32])],
)
def test_a_lenient_read_yields_zeros(
    case: str, dtype: Any, counted: Callable[[], dict[str, int]]
) -> None:
    run = READS[case]
    result = run(hpu([2, -1, 1, 3], dtype)).cpu()
    valid = run(hpu([2, 1], dtype)).cpu()
    assert torch.equal(result[[0, 2]], valid)
    assert not result[[1, 3]].any()
    assert counted() == {case.partition(",")[0]: 2}


@pytest.mark.parametrize("case", WRITES)
def test_a_lenient_write_is_dropped(case: str, counted: Callable[[], dict[str, int]]) -> None:
    run = WRITES[case]
    result = run(hpu([2, -9, 1, 3])).cpu()
    assert torch.equal(result, run(hpu([2, 1])).cpu())
    assert torch.equal(run(hpu([-9, 3])).cpu(), rows(hpu(0)).cpu())
    counts = counted()
    assert list(counts.values()) == [4]
    assert next(iter(counts)).rstrip("_") == case.partition(",")[0].rstrip("_")


@pytest.mark.parametrize("case", ELEMENTS)
def test_scattered_elements_are_never_dropped(
    case: str, counted: Callable[[], dict[str, int]]
) -> None:
    with pytest.raises(IndexError, match="index -1 at position 0 is out of range"):
        ELEMENTS[case](hpu([-1]))
    assert counted() == {}


def test_the_rows_that_are_kept_are_the_right_ones(
    counted: Callable[[], dict[str, int]],
) -> None:
    source = hpu([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    assert ones(hpu(0), 2, 2).index_copy_(0, hpu([-1, 1, 0]), source).tolist() == [[5, 6], [3, 4]]
    assert ones(hpu(0), 3, 2).index_add_(1, hpu([5, 0]), source[:, :2]).tolist() == [
        [3, 1],
        [5, 1],
        [7, 1],
    ]
    assert rows(hpu(0)).index_select(1, hpu([-1, 1])).tolist() == [[0, 1], [0, 3], [0, 5]]
    assert functional.embedding(hpu([[0, -1], [1, 2]]), rows(hpu(0))).tolist() == [
        [[0, 1], [0, 0]],
        [[2, 3], [4, 5]],
    ]
    assert rows(hpu(0))[:, 0].index_select(0, hpu(-1)).tolist() == [0]
    assert functional.one_hot(hpu([1, -1])).tolist() == [[0, 1], [0, 0]]
    assert counted() == {
        "index_copy_": 1, "index_add_": 1, "index_select": 2, "embedding": 1, "one_hot": 1
    }  # fmt: skip


def test_gradients_of_a_lenient_read_pass_it_by(counted: Callable[[], dict[str, int]]) -> None:
    weight = rows(hpu(0)).requires_grad_()
    functional.embedding(hpu([2, -1, 2]), weight).sum().backward()
    assert weight.grad.tolist() == [[0, 0], [0, 0], [2, 2]]
    other = rows(hpu(0)).requires_grad_()
    other.index_select(0, hpu([-1, 1])).sum().backward()
    assert other.grad.tolist() == [[0, 0], [1, 1], [0, 0]]
    assert counted() == {
        "embedding": 1, "embedding_dense_backward": 1, "index_select": 1, "index_add_": 1
    }  # fmt: skip


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float8_e4m3fn, torch.bool, torch.int32])
def test_the_filler_of_other_dtypes(dtype: Any, counted: Callable[[], dict[str, int]]) -> None:
    result = ones(hpu(0), 3, 2).to(dtype).index_select(0, hpu([-1, 2]))
    assert result.dtype is dtype
    assert result.float().tolist() == [[0, 0], [1, 1]]


@pytest.mark.parametrize("policy", ["strict", "lenient"])
def test_indexing_counts_from_the_end(native: ModuleType, policy: str) -> None:
    native.set_index_policy(policy)
    assert rows(hpu(0))[hpu([-1])].tolist() == [[4, 5]]
    assert rows(hpu(0)).index_fill_(0, hpu([-1]), 7)[2].tolist() == [7, 7]
    changed = rows(hpu(0))
    changed[hpu([-1])] = 9
    assert changed[2].tolist() == [9, 9]
    with pytest.raises(IndexError):
        rows(hpu(0))[hpu([3])]


@pytest.mark.parametrize("policy", ["strict", "lenient"])
def test_indices_on_the_cpu_are_still_refused(native: ModuleType, policy: str) -> None:
    native.set_index_policy(policy)
    with pytest.raises(RuntimeError, match="two devices"):
        rows(hpu(0)).index_select(0, torch.tensor([-1, 0]))


def test_there_must_be_a_row_to_read(counted: Callable[[], dict[str, int]]) -> None:
    with pytest.raises(IndexError, match=r"not in \[0, 0\)"):
        ones(hpu(0), 0, 2).index_select(0, hpu([-1]))


def test_another_policy(native: ModuleType) -> None:
    with pytest.raises(ValueError, match="strict or lenient, not loose"):
        native.set_index_policy("loose")


CODE = """
import porter.emulator; porter.emulator.install()
import torch, habana_frameworks.torch
x = torch.ones(2, device="hpu")
print(x.index_select(0, torch.tensor([-1], device="hpu")).tolist())
"""


@pytest.mark.parametrize(
    ("policy", "out", "error"),
    [
        ("lenient", "[0.0]\n", ""),
        ("strict", "", "IndexError: index_select: index -1 at position 0 is out of range"),
        (None, "", "IndexError"),
        ("loose", "", "PorterError: PORTER_EMULATE_INDICES=loose: must be one of strict, lenient"),
    ],
)
def test_the_policy_of_the_environment(policy: str | None, out: str, error: str) -> None:
    environment = {key: value for key, value in os.environ.items() if "INDICES" not in key}
    run = subprocess.run(
        [sys.executable, "-c", CODE],
        env={**environment, **({"PORTER_EMULATE_INDICES": policy} if policy else {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert run.stdout == out
    assert error in (run.stderr.strip().splitlines() or [""])[-1]
