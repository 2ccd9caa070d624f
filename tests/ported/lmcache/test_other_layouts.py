"""hpu/other_layouts: caches of other devices are moved as Gaudi's are, token by token."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch", reason="the device needs torch")

import kv_reference as ref  # noqa: E402

DTYPE, LAYERS = torch.bfloat16, 3
SLOTS = [9, 2, -1, 27, 12, 13, 14, 15, 0, 26, 5]
SHAPE = (ref.BLOCKS, ref.BLOCK, ref.HEADS, ref.HEAD)
#: Of [2, NB, BS, NH, HS], the same bits in the order of another layout.
PER_LAYER = {
    "NL_X_NB_TWO_BS_NH_HS": lambda cache: cache.transpose(0, 1),
    "NL_X_TWO_NB_NH_BS_HS": lambda cache: cache.transpose(2, 3),
    "NL_X_NB_TWO_NH_BS_HS": lambda cache: cache.permute(1, 0, 3, 2, 4),
    "NL_X_NB_BS_NH_TWO_HS": lambda cache: cache.permute(1, 2, 3, 0, 4).flatten(3),
    "NL_X_NB_NH_BS_TWO_HS": lambda cache: cache.permute(1, 3, 2, 0, 4).flatten(3),
}
#: The same of all layers, [L, 2, NB, BS, NH, HS].
CROSS_LAYER = {
    "NB_NL_TWO_BS_NH_HS": lambda caches: caches.permute(2, 0, 1, 3, 4, 5),
    "NB_NL_TWO_NH_BS_HS": lambda caches: caches.permute(2, 0, 1, 4, 3, 5),
}

pytestmark = pytest.mark.usefixtures("silent")


def laid(caches, layout):
    if layout in CROSS_LAYER:
        return [CROSS_LAYER[layout](torch.stack(caches)).contiguous()]
    return [PER_LAYER[layout](cache).contiguous() for cache in caches]


def some(blocks=ref.BLOCKS):
    return [ref.random_bits(2, blocks, *SHAPE[1:], dtype=DTYPE) for _ in range(LAYERS)]


def on_device(caches):
    return [cache.to("hpu") for cache in caches]


def all_same(found, expected):
    return all(ref.same_bits(f.cpu(), e.cpu()) for f, e in zip(found, expected, strict=True))


@pytest.mark.parametrize("skip", [0, 5])
@pytest.mark.parametrize("to_host", [True, False], ids=["store", "load"])
@pytest.mark.parametrize("layout", PER_LAYER)
def test_all_layers(hpu, layout, to_host, skip):
    ops, caches = hpu.paged_ops, some()
    usual, other = on_device(caches), on_device(laid(caches, layout))
    expected = ref.random_bits(2, LAYERS, len(SLOTS), ref.WIDTH, dtype=DTYPE)
    found, mapping = expected.clone(), torch.tensor(SLOTS)
    place = ("hpu", ref.BLOCKS * ref.BLOCK, to_host)
    ops.multi_layer_kv_transfer(expected, usual, mapping, *place, skip_prefix_n_tokens=skip)
    layout_ = hpu.layouts.EngineKVFormat[layout]
    ops.multi_layer_kv_transfer(found, other, mapping, *place, layout_, skip_prefix_n_tokens=skip)
    assert ref.same_bits(found, expected)
    assert all_same(other, laid([cache.cpu() for cache in usual], layout))


@pytest.mark.parametrize("to_host", [True, False], ids=["store", "load"])
@pytest.mark.parametrize("layout", [*PER_LAYER, *CROSS_LAYER])
@pytest.mark.parametrize("blocks", [2, ref.BLOCKS])
def test_blocks(hpu, layout, to_host, blocks):
    """Two blocks tell nothing about which axis is that of keys and values."""
    formats, caches = hpu.layouts.EngineKVFormat, some(blocks)
    usual, other = on_device(caches), on_device(laid(caches, layout))
    shape = (2, LAYERS, 2 * ref.BLOCK, ref.WIDTH)
    expected = [ref.random_bits(*shape, dtype=DTYPE) for _ in range(2)]
    found = [tensor.clone() for tensor in expected]

    def move(caches, objects, layout):
        hpu.paged_ops.multi_layer_block_kv_transfer(
            caches,
            objects,
            [blocks - 1, -1, 0],
            "hpu",
            hpu.layouts.TransferDirection(int(to_host)),
            SimpleNamespace(bs=ref.BLOCK),
            2 * ref.BLOCK,
            layout,
            0,
        )

    move(usual, expected, formats.NL_X_TWO_NB_BS_NH_HS)
    move(other, found, formats[layout])
    assert all_same(found, expected)
    assert all_same(other, laid([cache.cpu() for cache in usual], layout))


def test_heads_that_are_one_axis_with_their_elements(hpu):
    caches, layout = some(), hpu.layouts.EngineKVFormat.NL_X_NB_TWO_BS_NH_HS
    mapping, place = torch.tensor(SLOTS), ("hpu", ref.BLOCKS * ref.BLOCK, True)
    expected = torch.zeros(2, LAYERS, len(SLOTS), ref.WIDTH, dtype=DTYPE)
    found = expected.clone()
    hpu.paged_ops.multi_layer_kv_transfer(expected, on_device(caches), mapping, *place)
    merged = on_device(cache.flatten(3) for cache in laid(caches, layout.name))
    hpu.paged_ops.multi_layer_kv_transfer(found, merged, mapping, *place, layout)
    assert ref.same_bits(found, expected)


@pytest.mark.parametrize("layout", ["NL_X_TWO_NB_NH_BS_HS", "NL_X_NB_TWO_BS_NH_HS"])
@pytest.mark.parametrize("token_major", [True, False])
def test_one_layer(hpu, layout, token_major):
    ops, (cache, *_) = hpu.paged_ops, some()
    shape = (len(SLOTS), 2) if token_major else (2, len(SLOTS))
    expected = ref.random_bits(*shape, ref.WIDTH, dtype=DTYPE)
    found, mapping = expected.clone(), torch.tensor(SLOTS)
    ops.single_layer_kv_transfer(expected, cache.to("hpu"), mapping, True, token_major=token_major)
    (other,) = on_device(laid([cache], layout))
    layout_ = hpu.layouts.EngineKVFormat[layout]
    ops.single_layer_kv_transfer(found, other, mapping, True, layout_, token_major)
    assert ref.same_bits(found, expected)


def test_what_is_laid_out_otherwise(hpu):
    formats, laid_out = hpu.layouts.EngineKVFormat, hpu.other_layouts.laid_out
    cache = torch.zeros(SHAPE)
    with pytest.raises(ValueError, match="a cache tuple is not laid out as NL_X_TWO_NB_NH_BS_HS"):
        laid_out([(cache, cache)], formats.NL_X_TWO_NB_NH_BS_HS)
    with pytest.raises(
        ValueError, match=r"a cache \(7, 3, 4, 2, 4\) is not laid out as NL_X_NB_TWO"
    ):
        laid_out([torch.zeros(7, 3, *SHAPE[1:])], formats.NL_X_NB_TWO_BS_NH_HS)
    with pytest.raises(ValueError, match="NB_NL_TWO_BS_NH_HS is one tensor, not 2"):
        laid_out([cache, cache], formats.NB_NL_TWO_BS_NH_HS)
