"""A sample of what ``scripts/check_opinfo`` runs in full."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest

torch = pytest.importorskip("torch", reason="the emulator's tests need torch")
pytest.importorskip("expecttest", reason="PyTorch's OpInfo needs expecttest")

EVERY = 40
"""One op in so many, and these:"""
FAMILIES = {
    "nn.functional.conv2d", "nn.functional.conv_transpose2d", "nn.functional.layer_norm",
    "nn.functional.scaled_dot_product_attention", "nn.functional.embedding", "index_put",
    "as_strided", "view_as_complex", "resize_", "normal", "std_mean", "linalg.lstsq",
}  # fmt: skip


@pytest.fixture(scope="module")
def script(load_script: Callable[[str], ModuleType]) -> ModuleType:
    return load_script("check_opinfo")


def test_a_sample_of_ops_is_equal(script):
    device = script.prepare()
    ops = script.op_db()
    sampled = [*ops[::EVERY], *(op for op in ops if op.name in FAMILIES)]
    rows = [row for op in sampled for row in script.check(op, 1, False, device)]
    assert sum(row.status == "equal" for row in rows) > 100
    assert [row for row in rows if row.status not in {"equal", "undefined", "not run"}] == []


@pytest.mark.parametrize(
    ("got", "why"),
    [
        (lambda: torch.ones(2), "a result on cpu"),
        (lambda: torch.ones(2, device="hpu").long(), "dtype torch.int64"),
        (lambda: torch.ones(1, device="hpu"), "shape"),
        (lambda: torch.ones(1, device="hpu").expand(2), "strides (0,)"),
        (lambda: torch.tensor([1, 1 + 1e-7], device="hpu"), "1 of 2 elements"),
        (lambda: [torch.ones(1, device="hpu")] * 2, "2 results, not 1"),
        (lambda: 1.0, "not tensor"),
    ],
)
def test_what_is_not_equal_is_seen(script, got, why):
    script.prepare()
    assert script.difference(torch.ones(2), torch.ones(2, device="hpu")) == ""
    assert why in script.difference(torch.ones(2), got())


def test_an_input_keeps_its_overlap(script):
    script.prepare()
    base = torch.arange(6.0)
    left, right = script.Mover()((base[:4], base[2:].t()))
    left.zero_()
    assert right.tolist() == [0, 0, 4, 5]
    assert base.tolist() == list(range(6))
