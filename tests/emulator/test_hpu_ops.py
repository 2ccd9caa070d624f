"""The bridge's own ops against their formula on the CPU."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the emulator's tests need torch")

functional = torch.nn.functional
E4M3, E5M2 = torch.float8_e4m3fn, torch.float8_e5m2


@pytest.fixture(scope="module")
def ops() -> ModuleType:
    from porter.emulator import install  # noqa: PLC0415

    install()
    import habana_frameworks.torch  # noqa: F401, PLC0415

    return torch.ops.hpu


@pytest.fixture(autouse=True)
def seeded(ops: ModuleType) -> None:
    torch.manual_seed(3)


def equal(on_hpu: Any, expected: Any) -> bool:
    """Bit for bit, and on the device."""
    assert on_hpu.device.type == "hpu" and on_hpu.dtype == expected.dtype
    return torch.equal(on_hpu.cpu().float(), expected.float())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("fp8", [E4M3, E5M2])
def test_cast_to_fp8_scales_and_saturates(ops: ModuleType, dtype: Any, fp8: Any) -> None:
    x = torch.tensor([[0.3, -7.0, 1e6], [-1e6, 0.0, 448.0]], dtype=dtype)
    limit = torch.finfo(fp8).max
    for scale in (None, 1.5, torch.tensor(1.5).hpu()):
        result, amax = ops.cast_to_fp8_v2(x.hpu(), scale, False, True, fp8)
        wide = x if scale is None else x * 1.5
        assert equal(result, wide.clamp(-limit, limit).to(fp8))
        assert amax.shape == () and amax.item() == x.abs().max().item()
    assert ops.cast_to_fp8_v2(x.hpu(), None, False, False, fp8)[1].shape == (0,)


def test_cast_by_channel(ops: ModuleType) -> None:
    x, factors = torch.randn(2, 3), [0.5, 2.0, 4.0]
    expected = (x * torch.tensor(factors)).to(E4M3)
    assert equal(ops.cast_to_fp8_v2(x.hpu(), factors, False, False, E4M3)[0], expected)
    down = torch.tensor([0.5, 2.0])
    result = ops.cast_to_fp8_v2(x.hpu(), down.hpu(), False, False, E4M3, [2, 1])[0]
    assert equal(result, (x * down[:, None]).to(E4M3))


def test_cast_of_what_has_8_bits(ops: ModuleType) -> None:
    x = torch.randn(4).to(E5M2)
    assert equal(ops.cast_to_fp8_v2(x.hpu(), None, False, False, E5M2)[0], x)
    with pytest.raises(RuntimeError, match="stays"):
        ops.cast_to_fp8_v2(x.hpu(), None, False, False, E4M3)


def test_cast_refuses_what_it_does_not_do(ops: ModuleType) -> None:
    with pytest.raises(NotImplementedError, match="rounds to the nearest"):
        ops.cast_to_fp8_v2(torch.ones(1).hpu(), None, True, False, E4M3)
    with pytest.raises(RuntimeError, match="must be an 8 bit float"):
        ops.cast_to_fp8_v2(torch.ones(1).hpu(), None, False, False, torch.bfloat16)
    with pytest.raises(NotImplementedError):
        ops.cast_to_fp8_v2(torch.ones(1), None, False, False, E4M3)


def test_cast_from_fp8(ops: ModuleType) -> None:
    x = torch.randn(2, 3).to(E4M3)
    assert equal(ops.cast_from_fp8(x.hpu(), None, torch.bfloat16), x.bfloat16())
    assert equal(ops.cast_from_fp8(x.hpu(), 0.5, torch.bfloat16), x.bfloat16() * 0.5)
    factors = torch.tensor([0.5, 2.0, 4.0])
    assert equal(ops.cast_from_fp8(x.hpu(), factors.hpu(), torch.float32), x.float() * factors)


def test_fp8_gemm(ops: ModuleType) -> None:
    a, b = torch.randn(4, 8).to(E4M3), torch.randn(6, 8).to(E4M3)
    left, right = torch.rand(4, 1), torch.rand(6)
    bias, more = torch.randn(6), torch.randn(4, 6)
    product = a.float() @ b.float().T
    bare = ops.fp8_gemm_v2(a.hpu(), False, b.hpu(), True, None, torch.float32)
    assert equal(bare, product)
    scaled = ops.fp8_gemm_v2(
        A=a.hpu(),
        trans_A=False,
        B=b.hpu(),
        trans_B=True,
        D=more.hpu(),
        out_dtype=torch.bfloat16,
        A_scale_inv=left.hpu(),
        B_scale_inv=right.hpu(),
        bias=bias.hpu(),
        accumulate=True,
    )
    assert equal(scaled, (product * left * right + bias + more).bfloat16())
    turned = ops.fp8_gemm_v2(a.T.hpu(), True, b.T.hpu(), False, None, torch.float32, 0.5, 2.0)
    assert equal(turned, product)
    with pytest.raises(RuntimeError, match="accumulate needs D"):
        ops.fp8_gemm_v2(a.hpu(), False, b.hpu(), True, None, torch.float32, accumulate=True)


def packed(numbers: Any) -> Any:
    """Eight numbers of four bits an int32, the first in the lowest bits."""
    words = torch.zeros(*numbers.shape[:-1], numbers.shape[-1] // 8, dtype=torch.int64)
    for place in range(8):
        words |= (numbers[..., place::8].long() & 15) << 4 * place
    return torch.where(words >= 1 << 31, words - (1 << 32), words).int()


def test_weights_of_four_bits(ops: ModuleType) -> None:
    weight, scale = torch.randint(0, 16, (6, 16)), torch.rand(3, 16)
    zeros = torch.randint(0, 16, (3, 16))
    groups = torch.arange(6) // 2
    expected = (weight - zeros[groups]).float() * scale[groups]
    for zero in (packed(zeros), zeros.float()):
        result = ops.convert_from_uint4(
            packed(weight).hpu(), scale.hpu(), zero.hpu(), torch.float32
        )
        assert equal(result, expected)
    bare = ops.convert_from_uint4(packed(weight).hpu(), scale.hpu(), None, torch.float32)
    assert equal(bare, weight.float() * scale[groups])
    order = torch.tensor([2, 0, 1, 1, 0, 2], dtype=torch.int32)
    result = ops.convert_from_uint4(
        packed(weight).hpu(), scale.hpu(), packed(zeros).hpu(), torch.float32, order.hpu()
    )
    assert equal(result, (weight - zeros[order]).float() * scale[order])


def test_signed_weights_of_four_bits(ops: ModuleType) -> None:
    weight, scale = torch.randint(-8, 8, (5, 8)), torch.rand(5, 8)
    result = ops.convert_from_int4(packed(weight).hpu(), scale.hpu(), None, torch.float32)
    assert equal(result, weight.float() * scale)


def attend(ops: ModuleType, *inputs: Any, **options: Any) -> Any:
    given = {
        "attention_mask": None,
        "p": 0.0,
        "scale": 0.25,
        "is_causal": False,
        "requires_backward": True,
        "softmax_mode": "None",
        "valid_seq_len": None,
        "seq_padding_type": "right",
        **options,
    }
    given = {name: x.hpu() if isinstance(x, torch.Tensor) else x for name, x in given.items()}
    return ops.sdpa_recomp_fwd(*(x.hpu() for x in inputs), *given.values())


def test_attention_and_the_sums_of_its_softmax(ops: ModuleType) -> None:
    q, k, v = torch.randn(2, 3, 5, 16), torch.randn(2, 3, 7, 16), torch.randn(2, 3, 7, 16)
    mask = torch.randn(2, 1, 5, 7)
    out, largest, inverse, seed = attend(ops, q, k, v, attention_mask=mask)
    logits = q @ k.mT * 0.25 + mask
    expected = functional.scaled_dot_product_attention(q, k, v, mask, scale=0.25)
    torch.testing.assert_close(out.cpu(), expected)
    torch.testing.assert_close(largest.cpu(), logits.amax(-1, keepdim=True))
    sums = (logits - logits.amax(-1, keepdim=True)).exp().sum(-1, keepdim=True)
    torch.testing.assert_close(inverse.cpu(), 1 / sums)
    assert seed.shape == (1,)
    alone = attend(ops, q, k, v, requires_backward=False)
    assert [part.shape for part in alone[1:]] == [(1,)] * 3
    with pytest.raises(NotImplementedError, match="without dropout"):
        attend(ops, q, k, v, p=0.5)


def test_attention_of_two_parts_can_be_put_together(ops: ModuleType) -> None:
    q, k, v = torch.randn(1, 2, 3, 16), torch.randn(1, 2, 8, 16), torch.randn(1, 2, 8, 16)
    parts = [attend(ops, q, k[..., s, :], v[..., s, :]) for s in (slice(5), slice(5, 8))]
    top = torch.maximum(parts[0][1], parts[1][1])
    weights = [(m - top).exp() / inverse for _, m, inverse, _ in parts]
    merged = sum(w * part[0] for w, part in zip(weights, parts, strict=True)) / sum(weights)
    torch.testing.assert_close(merged, attend(ops, q, k, v)[0])


@pytest.mark.parametrize("side", ["left", "right"])
def test_attention_to_what_is_no_padding(ops: ModuleType, side: str) -> None:
    from habana_frameworks.torch.hpex.kernels import FusedSDPA  # noqa: PLC0415

    q, k, v = (torch.randn(2, 3, 5, 16) for _ in range(3))
    lengths = torch.tensor([5, 2])
    outs = [
        attend(ops, q, k, v, is_causal=True, valid_seq_len=lengths, seq_padding_type=side)[0],
        FusedSDPA.apply(
            *(x.hpu() for x in (q, k, v)), None, 0.0, True, 0.25, "fast", True, lengths.hpu(), side
        ),
    ]
    for row, length in enumerate(lengths):
        valid = slice(5 - length, 5) if side == "left" else slice(length)
        part = (x[row, :, valid] for x in (q, k, v))
        expected = functional.scaled_dot_product_attention(*part, is_causal=True, scale=0.25)
        for out in outs:
            torch.testing.assert_close(out[row, :, valid].cpu(), expected)
            assert out.isfinite().all()


def test_fused_attention_refuses_what_it_does_not_do(ops: ModuleType) -> None:
    from habana_frameworks.torch.hpex.kernels import FusedSDPA  # noqa: PLC0415

    q = torch.randn(1, 1, 2, 4).hpu()
    FusedSDPA.apply(
        q, q, q, None, 0.0, True, None, "fast", True, None, "left", False, False, (-1, -1)
    )
    with pytest.raises(NotImplementedError, match="without window_size"):
        FusedSDPA.apply(q, q, q, window_size=(4, 0))
    with pytest.raises(ValueError, match="goes with is_causal"):
        FusedSDPA.apply(q, q, q, valid_seq_len=torch.tensor([1]).hpu())


@pytest.mark.parametrize("mask_heads", [1, 4])
def test_the_shapes_of_shared_heads(ops: ModuleType, mask_heads: int) -> None:
    from habana_frameworks.torch.hpex.kernels.Fp8FusedSDPA import (  # noqa: PLC0415
        gqa_input_reshape_fwd,
        gqa_output_reshape,
        is_gqa,
    )

    q, k = torch.randn(2, 4, 3, 16), torch.randn(2, 2, 5, 16)
    mask = torch.randn(2, mask_heads, 3, 5)
    assert is_gqa(q, k) and not is_gqa(q, q) and not is_gqa(q, k[:, :1])
    shaped = gqa_input_reshape_fwd(q, k, k, mask)
    out = gqa_output_reshape(attend(ops, *shaped[:3], attention_mask=shaped[3])[0])
    twice = k.repeat_interleave(2, 1)
    expected = functional.scaled_dot_product_attention(q, twice, twice, mask, scale=0.25)
    torch.testing.assert_close(out.cpu(), expected)


@pytest.mark.parametrize("activation", ["silu", "gelu", "relu"])
@pytest.mark.parametrize("transposed", [True, False])
def test_a_mixture_of_experts(ops: ModuleType, activation: str, transposed: bool) -> None:
    tokens, table = torch.randn(5, 8), torch.tensor([[0, 3], [1, 2], [3, 1], [2, 0], [1, 3]])
    shares = torch.rand(5, 2)
    w1, w2 = ([torch.randn(8, 6) for _ in range(4)] for _ in "12")
    w3 = [torch.randn(6, 8) for _ in range(4)]
    expected = torch.zeros(5, 8)
    for token, row in enumerate(table.tolist()):
        for place, expert in enumerate(row):
            gate = getattr(functional, activation)(tokens[token] @ w1[expert])
            out = (gate * (tokens[token] @ w2[expert])) @ w3[expert]
            expected[token] += shares[token, place] * out * (expert != 3)
    lists = [[(w.T if transposed else w).hpu() for w in ws] for ws in (w1, w2, w3)]
    fused = [torch.cat(pair, 0 if transposed else 1) for pair in zip(*lists[:2], strict=True)]
    given = (tokens.hpu(), table.hpu(), shares.hpu())
    # Expert 3 is another card's.
    rest = (transposed, activation, 0, 2)
    torch.testing.assert_close(ops.mixture_of_experts(*given, *lists, *rest).cpu(), expected)
    torch.testing.assert_close(
        ops.mixture_of_experts(*given, fused, lists[2], *rest).cpu(), expected
    )


def test_ops_have_shapes_without_data(ops: ModuleType) -> None:
    x = torch.empty(4, 8, device="meta")
    result, amax = ops.cast_to_fp8_v2(x, None, False, True, E4M3)
    assert (result.shape, result.dtype, amax.shape) == ((4, 8), E4M3, ())
