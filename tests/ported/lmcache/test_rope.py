"""hpu/rope: against rotations in float64, and upstream's steps."""

from __future__ import annotations

import importlib.util

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from porter.sources.resolve import open_source

torch = pytest.importorskip("torch")

POSITIONS = 512


def table(rotated: int, dtype: torch.dtype, scale: float = 1.0) -> torch.Tensor:
    """Cosines and sines [POSITIONS, rotated]."""
    pace = 10_000.0 ** (-torch.arange(0, rotated, 2, dtype=torch.float64) / rotated)
    angles = torch.arange(POSITIONS, dtype=torch.float64)[:, None] * pace
    return (scale * torch.cat((angles.cos(), angles.sin()), -1)).to(dtype)


def rotate(key: torch.Tensor, rows: torch.Tensor, neox: bool, back: bool) -> torch.Tensor:
    """[T, NH, ROT] by rows [T, ROT] of a table, element by element, in float64."""
    half = rows.shape[1] // 2
    out = key.clone()
    for place in range(half):
        first, second = (place, place + half) if neox else (2 * place, 2 * place + 1)
        cos, sin = rows[:, None, place], rows[:, None, place + half]
        if back:
            sin = -sin
        out[..., first] = key[..., first] * cos - key[..., second] * sin
        out[..., second] = key[..., second] * cos + key[..., first] * sin
    return out


def reference(key, old, new, cos_sin, neox):
    """What the key should be, in float64, from the same rounded cosines and sines."""
    rotated = cos_sin.shape[1]
    out, rows = key.double(), cos_sin.double()
    part = rotate(out[..., :rotated], rows[old], neox, back=True)
    out[..., :rotated] = rotate(part, rows[new], neox, back=False)
    return out


@given(
    st.integers(0, 2**31),
    st.integers(1, 9),
    st.integers(1, 3),
    st.sampled_from([(8, 8), (16, 8)]),
    st.booleans(),
    st.sampled_from([torch.bfloat16, torch.float16, torch.float32, torch.float64]),
    st.sampled_from([1.0, 0.7]),
)
@settings(deadline=None)
def test_it_rotates_from_position_to_position(hpu, seed, tokens, heads, sizes, neox, dtype, scale):
    size, rotated = sizes
    generator = torch.Generator().manual_seed(seed)
    key = torch.randn(tokens, heads, size, generator=generator).to(dtype)
    old, new = torch.randint(POSITIONS, (2, tokens), generator=generator)
    cos_sin = table(rotated, dtype, scale)
    expected = reference(key, old, new, cos_sin, neox)
    hpu("rope").rotary_embedding_k_fused(old, new, key, size, cos_sin, neox)
    # Rounded once: half a unit in the last place of the result, which is eps / 2 relative. Less
    # than ten operations in float32 (float64) came before, on numbers below |x| + |y| < 16.
    single = torch.finfo(torch.promote_types(torch.float32, dtype)).eps
    error = (key.double() - expected).abs()
    half_unit = 0.0 if dtype in (torch.float32, torch.float64) else torch.finfo(dtype).eps / 2
    subnormal = torch.finfo(dtype).smallest_normal * torch.finfo(dtype).eps
    assert (error <= half_unit * expected.abs() + 160 * single + subnormal).all()


def test_positions_stay_as_they_are_for_any_shape(hpu):
    key = torch.randn(2, 3, 4, 8, generator=torch.Generator().manual_seed(1))
    before = key.clone()
    places = torch.arange(6).view(2, 3)
    hpu("rope").rotary_embedding_k_fused(places, places, key, 8, table(8, torch.float32), True)
    torch.testing.assert_close(key, before)


def test_values_beside_the_keys_are_not_touched(hpu):
    rope = hpu("rope")
    packed = torch.randn(5, 2, 16, generator=torch.Generator().manual_seed(1))
    keys, values = packed[..., :8].clone(), packed[..., 8:].clone()
    old, new = torch.arange(5), torch.arange(5) + 7
    cos_sin = table(8, torch.float32)
    rope.rotary_embedding_k_fused_strided(old, new, packed, 8, 16, cos_sin, False)
    rope.rotary_embedding_k_fused(old, new, keys, 8, cos_sin, False)
    assert torch.equal(packed[..., :8], keys)
    assert torch.equal(packed[..., 8:], values)


@pytest.mark.network
@pytest.mark.parametrize("neox", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_upstream_s_steps_come_to_the_same(hpu, neox, dtype):
    file = open_source("lmcache==0.5.6").root / "lmcache/v1/platform/torch_ops/pos_kernels.py"
    spec = importlib.util.spec_from_file_location("upstream_pos_kernels", file)
    theirs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(theirs)
    generator = torch.Generator().manual_seed(3)
    key = torch.randn(64, 2, 128, generator=generator).to(dtype)
    old, new = torch.randint(POSITIONS, (2, 64), generator=generator)
    cos_sin = table(128, dtype)
    stepwise = key.clone()
    theirs.rotary_embedding_k_fused(old, new, stepwise, 128, cos_sin, neox)
    hpu("rope").rotary_embedding_k_fused(old, new, key, 128, cos_sin, neox)
    # Upstream rounds six times, each half a unit of at most twice the largest key, and we once.
    largest = 2 * key.abs().max().item()
    torch.testing.assert_close(key, stepwise, rtol=0, atol=7 * largest * torch.finfo(dtype).eps / 2)
