"""What an engine's KV cache looks like, and which ones are refused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the device needs torch")

import kv_reference as ref  # noqa: E402

KEY = (ref.BLOCKS, ref.BLOCK, ref.HEADS, ref.HEAD)
FLAT = ((ref.BLOCKS + 1) * ref.BLOCK, ref.HEADS, ref.HEAD)


class TensorTuple(tuple[Any, ...]):
    """What the plugin registers: a tuple with the shape of what it would be as one tensor."""

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self), *self[0].shape)


@pytest.mark.parametrize("layout", ref.LAYOUTS, ids=lambda layout: layout.name)
def test_blocks_and_rows_are_the_cache_s_own_memory(
    hpu: SimpleNamespace, layout: ref.Layout
) -> None:
    tensors = layout.make(torch.bfloat16)
    cache = (*tensors, None, None)[:4] if layout.in_pairs else tensors[0]
    view = hpu.kv_views.layer_view(cache, layout.block_size)
    assert (view.num_blocks, view.block_size, view.width) == (ref.BLOCKS, ref.BLOCK, ref.WIDTH)
    assert (view.is_mla, view.dtype) == (layout.planes == 1, torch.bfloat16)
    for number, plane in enumerate(view.planes):
        for slot in (0, 5, ref.BLOCKS * ref.BLOCK - 1):
            block, offset = divmod(slot, ref.BLOCK)
            pool_block = block * plane.every + plane.at
            row = layout.row(tensors, number, slot)
            for found in (
                plane.blocks[pool_block, offset],
                plane.units(1)[pool_block * ref.BLOCK + offset, 0],
            ):
                assert found.data_ptr() == row.data_ptr()
                assert found.numel() == row.numel()


@pytest.mark.parametrize("blocks", [ref.BLOCKS, ref.BLOCKS + 1])
def test_the_plugin_s_pairs(hpu: SimpleNamespace, blocks: int) -> None:
    """With the pad block, as registered until 0.16, and without it."""
    parents = [torch.zeros(*FLAT) for _ in range(2)]
    pair = TensorTuple(p.view(-1, *KEY[1:])[:blocks] for p in parents)
    view = hpu.kv_views.layer_view(pair)
    assert (view.num_blocks, view.width) == (blocks, ref.WIDTH)


def refused(hpu: SimpleNamespace, cache: Any, block_size: int | None = None) -> str:
    good = torch.zeros(2, *KEY)
    with pytest.raises(ValueError) as caught:
        hpu.kv_views.kv_views([good, cache], block_size)
    message = str(caught.value)
    assert message.startswith("KV cache of layer 1: ")
    assert "\n" not in message
    return message


def test_dynamic_scales_are_refused(hpu: SimpleNamespace) -> None:
    key, scales = torch.zeros(*FLAT), torch.ones(FLAT[0], 1)
    assert "dynamic scales" in refused(hpu, (key, key, scales, scales), ref.BLOCK)
    assert "dynamic scales" in refused(hpu, (key, key, scales), ref.BLOCK)


def test_keys_alone_are_refused(hpu: SimpleNamespace) -> None:
    assert "keys without values" in refused(hpu, torch.zeros(*KEY))


def test_the_state_of_mamba_is_refused(hpu: SimpleNamespace) -> None:
    convolution, state = torch.zeros(7, 3, 64), torch.zeros(7, 4, 8, 16)
    assert "Mamba" in refused(hpu, [convolution, state])


def test_other_layouts_are_refused(hpu: SimpleNamespace) -> None:
    assert "unknown layout (4, 4)" in refused(hpu, torch.zeros(4, 4))
    assert "block size has to be given" in refused(hpu, (torch.zeros(*FLAT), torch.zeros(*FLAT)))
    odd = torch.zeros(7, 2, 4)
    assert "7 slots are no blocks of 4" in refused(hpu, (odd, odd), 4)
    heads_first = torch.zeros(2, ref.BLOCKS, ref.HEADS, ref.BLOCK, ref.HEAD).transpose(3, 2)
    assert "strides" in refused(hpu, heads_first)
    assert "no pair of tensors" in refused(hpu, (None, None))


def test_addresses_are_known_as_long_as_the_view_lives(hpu: SimpleNamespace) -> None:
    cache = torch.zeros(2, *KEY)
    view = hpu.kv_views.remember(cache.data_ptr(), hpu.kv_views.layer_view(cache))
    assert hpu.kv_views.at_address(cache.data_ptr()) is view
    del view
    with pytest.raises(ValueError, match="no KV cache is known at address 0x"):
        hpu.kv_views.at_address(cache.data_ptr())
