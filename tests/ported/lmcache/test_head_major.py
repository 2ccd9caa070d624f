"""hpu/head_major: caches that keep heads apart are moved as those that do not, token by token."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the device needs torch")

import kv_reference as ref  # noqa: E402

DTYPE, LAYERS = torch.bfloat16, 3
SLOTS = [9, 2, -1, 27, 12, 13, 14, 15, 0, 26, 5]
SHAPE = (ref.BLOCKS, ref.BLOCK, ref.HEADS, ref.HEAD)

pytestmark = pytest.mark.usefixtures("silent")


def two_major(cache):
    return cache.transpose(2, 3).contiguous()


def in_turns(cache):
    return cache.permute(1, 0, 3, 2, 4).contiguous()


@pytest.mark.parametrize("skip", [0, 5])
@pytest.mark.parametrize("to_host", [True, False], ids=["store", "load"])
@pytest.mark.parametrize(
    ("layout", "laid"),
    [("NL_X_TWO_NB_NH_BS_HS", two_major), ("NL_X_NB_TWO_NH_BS_HS", in_turns)],
)
def test_all_layers(hpu, layout, laid, to_host, skip):
    ops, layout = hpu.paged_ops, hpu.layouts.EngineKVFormat[layout]
    caches = [ref.random_bits(2, *SHAPE, dtype=DTYPE) for _ in range(LAYERS)]
    usual, apart = [c.to("hpu") for c in caches], [laid(c).to("hpu") for c in caches]
    expected = ref.random_bits(2, LAYERS, len(SLOTS), ref.WIDTH, dtype=DTYPE)
    found, mapping = expected.clone(), torch.tensor(SLOTS)
    place = ("hpu", ref.BLOCKS * ref.BLOCK, to_host)
    ops.multi_layer_kv_transfer(expected, usual, mapping, *place, skip_prefix_n_tokens=skip)
    ops.multi_layer_kv_transfer(found, apart, mapping, *place, layout, skip_prefix_n_tokens=skip)
    assert ref.same_bits(found, expected)
    assert all(ref.same_bits(a.cpu(), laid(u.cpu())) for a, u in zip(apart, usual, strict=True))


@pytest.mark.parametrize("token_major", [True, False])
def test_one_layer(hpu, token_major):
    ops, layout = hpu.paged_ops, hpu.layouts.EngineKVFormat.NL_X_TWO_NB_NH_BS_HS
    cache = ref.random_bits(2, *SHAPE, dtype=DTYPE)
    shape = (len(SLOTS), 2) if token_major else (2, len(SLOTS))
    expected = ref.random_bits(*shape, ref.WIDTH, dtype=DTYPE)
    found, mapping = expected.clone(), torch.tensor(SLOTS)
    usual = (cache.to("hpu"), mapping, True)
    ops.single_layer_kv_transfer(expected, *usual, token_major=token_major)
    apart = (two_major(cache).to("hpu"), mapping, True)
    ops.single_layer_kv_transfer(found, *apart, layout, token_major)
    assert ref.same_bits(found, expected)


def test_a_pair_has_no_heads_apart(hpu):
    layout = hpu.layouts.EngineKVFormat.NL_X_TWO_NB_NH_BS_HS
    cache = torch.zeros(SHAPE)
    with pytest.raises(ValueError, match="one tensor of five dimensions"):
        hpu.head_major.heads_of([(cache, cache)], layout)
