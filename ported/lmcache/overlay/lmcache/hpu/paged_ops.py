"""The operations of upstream's extension on the paged cache: calls as upstream's, from 0.3.5 on.

Shapes: L layers, T tokens, D = heads * head size, and P = blocks * block size slots of the paged
cache. ``slot_mapping`` [T] says in which slot each token lies; one below zero is skipped: nothing
is written into the cache, and out of it the destination keeps its bytes. Bits are copied, whatever
the dtype. Until 0.3.13 a direction was a bool, with the numbers of TransferDirection.

Caches are given as a list, one a layer, or as addresses that ``kv_views.remember`` was told of.
Every call waits once, at its end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, TypeAlias

from lmcache.hpu import slots, transfer
from lmcache.hpu.kv_views import LayerView, at_address, flat_view, layer_view
from lmcache.hpu.layouts import EngineKVFormat, TransferDirection
from lmcache.hpu.other_layouts import CROSS_LAYER, LAYOUTS, LaidOut, laid_out
from lmcache.hpu.transfer import Group
from torch import Tensor, device

Caches: TypeAlias = Tensor | Sequence[Tensor | Sequence[Tensor | None]]
"""One cache a layer, or a tensor of their addresses."""

_MLA = {
    EngineKVFormat.NL_X_NB_BS_HS,
    EngineKVFormat.NL_X_NBBS_ONE_HS,
    EngineKVFormat.NL_X_NP_X_NB_BS_ONE_HS,
}
_KEYS_THEN_VALUES = {EngineKVFormat.TWO_X_NL_X_NBBS_NH_HS, EngineKVFormat.TWO_X_NL_X_NB_BS_NH_HS}


class BlockShape(Protocol):
    """What is asked of upstream's description of a paged buffer: the tokens of a block."""

    bs: int


def multi_layer_kv_transfer(
    key_value: Tensor,
    key_value_ptrs: Caches,
    slot_mapping: Tensor,
    paged_memory_device: device,
    page_buffer_size: int,
    direction: TransferDirection | bool,
    layout: EngineKVFormat | bool = False,
    block_size: int = 0,
    skip_prefix_n_tokens: int = 0,
    head_size: int = 0,
    block_stride_elems: int = 0,
    *,
    use_mla: bool = False,
    gpu_kv_format: EngineKVFormat | bool = False,
    engine_kv_format: EngineKVFormat | bool = False,
) -> None:
    """Copy tokens of all layers between ``key_value``, [2, L, T, D] or [1, L, T, D], and the cache.

    ``layout``, under any of its four names, says whether it is MLA. Callers give the tokens to
    skip by position until 0.4.2, which has no ``head_size``; later ones by name.
    """
    layouts, skip = (layout, use_mla, gpu_kv_format, engine_kv_format), skip_prefix_n_tokens
    other = next((layout for layout in layouts if layout in LAYOUTS), None)
    if other and not isinstance(key_value_ptrs, Tensor):
        caches = laid_out(key_value_ptrs, EngineKVFormat(other))
        return _move_laid_out(direction, caches, key_value, slot_mapping, skip)
    mla = any(map(_is_mla, layouts))
    views = _views(key_value_ptrs, mla, block_size)
    return _move(direction, Group.of(views), views[0], key_value, slot_mapping, skip)


def multi_layer_kv_transfer_unilateral(
    key_value: Tensor,
    key_value_ptrs: Tensor | Sequence[Tensor],
    slot_mapping: Tensor,
    paged_memory_device: device,
    page_buffer_size: int,
    direction: TransferDirection | bool,
    layout: EngineKVFormat | bool = False,
) -> None:
    """The same for flat caches [P, D] or [P, NH, HS]: the keys of all layers, then the values."""
    if isinstance(key_value_ptrs, Tensor):
        views = _views(key_value_ptrs, mla=True, block_size=0)
    else:
        views = [flat_view(cache.flatten(1), None) for cache in key_value_ptrs]
    group = Group(tuple(plane for view in views for plane in view.planes))
    _move(direction, group, views[0], key_value, slot_mapping)


def single_layer_kv_transfer(
    lmc_key_value_cache: Tensor,
    vllm_key_value_cache: Tensor | Sequence[Tensor],
    slot_mapping: Tensor,
    direction: TransferDirection | bool,
    *layout: EngineKVFormat | bool,
    token_major: bool = False,
) -> None:
    """Copy tokens of one layer; the memory object is [T, 2, D] if token major, else [2, T, D].

    ``layout`` begins with ``token_major`` until 0.3.13, and with the format from then on.
    """
    before_formats = layout and isinstance(layout[0], bool)
    majors = layout[:1] if before_formats else layout[1:2]
    token_major = bool((*majors, token_major)[0])
    if layout and layout[0] in LAYOUTS:
        caches = laid_out([vllm_key_value_cache], EngineKVFormat(layout[0]))
        lmc = lmc_key_value_cache
        planes_first = (lmc.transpose(0, 1) if token_major else lmc).unsqueeze(1)
        return _move_laid_out(direction, caches, planes_first, slot_mapping)
    view = layer_view(vllm_key_value_cache)
    group = Group.of([view], token_major=token_major)
    return _move(direction, group, view, lmc_key_value_cache, slot_mapping)


def single_layer_kv_transfer_sgl(
    lmc_key_value_cache: Tensor,
    sgl_key_cache: Tensor,
    sgl_value_cache: Tensor,
    slot_mapping: Tensor,
    direction: TransferDirection | bool,
    token_major: bool = False,
) -> None:
    """The same where the caches of keys and of values, each [NB, BS, NH, HS], are apart."""
    view = layer_view((sgl_key_cache, sgl_value_cache))
    group = Group.of([view], token_major=token_major)
    _move(direction, group, view, lmc_key_value_cache, slot_mapping)


def load_and_reshape_flash(
    key_value: Tensor, key_cache: Tensor, value_cache: Tensor, slot_mapping: Tensor, layer: int
) -> None:
    """Copy one layer out of caches [NB, BS, NH, HS] into ``key_value`` [2, L, T, D]."""
    single_layer_kv_transfer_sgl(
        key_value[:, layer], key_cache, value_cache, slot_mapping, TransferDirection.D2H
    )


def reshape_and_cache_back_flash(
    key_value: Tensor, key_cache: Tensor, value_cache: Tensor, slot_mapping: Tensor, layer: int
) -> None:
    """Copy one layer of ``key_value`` [2, L, T, D] into caches [NB, BS, NH, HS]."""
    single_layer_kv_transfer_sgl(
        key_value[:, layer], key_cache, value_cache, slot_mapping, TransferDirection.H2D
    )


def multi_layer_block_kv_transfer(
    paged_buffer_ptrs_tensor: Caches,
    lmcache_objects_ptrs: Sequence[Tensor],
    block_ids: Tensor | Sequence[int],
    device: device,
    direction: TransferDirection,
    shape_desc: BlockShape,
    lmcache_chunk_size: int,
    engine_kv_format: EngineKVFormat,
    skip_prefix_n_blocks: int,
) -> None:
    """Copy whole blocks of all layers; an object holds ``lmcache_chunk_size`` tokens.

    The first ``skip_prefix_n_blocks`` are left alone. The last object may get fewer blocks than it
    holds. Raises TypeError for objects given by address: the tensors are asked for.
    """
    if not all(isinstance(tensor, Tensor) for tensor in lmcache_objects_ptrs):
        raise TypeError("on Gaudi an address cannot be turned into a tensor: pass the objects")
    size, chunk = int(shape_desc.bs), lmcache_chunk_size
    if size <= 0 or chunk <= 0 or chunk % size:
        raise ValueError(f"a chunk of {chunk} tokens is no number of blocks of {size}")
    mapping = slots.of_blocks(block_ids, size)
    mapping[: skip_prefix_n_blocks * size] = -1
    starts = range(0, len(mapping), chunk)
    spans = [(start, min(start + chunk, len(mapping))) for start in starts]
    if len(spans) > len(lmcache_objects_ptrs):
        raise ValueError(f"{len(lmcache_objects_ptrs)} objects do not hold {len(mapping)} tokens")
    caches, objects = paged_buffer_ptrs_tensor, lmcache_objects_ptrs
    if engine_kv_format in LAYOUTS | CROSS_LAYER and not isinstance(caches, Tensor):
        other = laid_out(caches, engine_kv_format)
        with _apart(other, objects) as copies:
            _move_all(direction, other.group, other.view, copies, mapping, spans, chunk_size=chunk)
        return
    if engine_kv_format in _KEYS_THEN_VALUES:
        views = [_pair(key, value, size) for key, value in _pairs(caches)]
    else:
        views = _views(caches, _is_mla(engine_kv_format), size)
    _move_all(direction, Group.of(views), views[0], objects, mapping, spans, chunk_size=chunk)


def _move(
    direction: TransferDirection | bool,
    group: Group,
    view: LayerView,
    key_value: Tensor,
    slot_mapping: Tensor,
    skip_prefix: int = 0,
) -> None:
    """One object, whose tokens are all that the slot mapping has."""
    mapping = slots.on_cpu(slot_mapping)
    tokens = group.seen(key_value).narrow(group.token_axis, 0, len(mapping))
    _move_all(direction, group, view, [tokens], mapping, [(0, len(mapping))], skip_prefix)


def _move_laid_out(
    direction: TransferDirection | bool,
    caches: LaidOut,
    key_value: Tensor,
    slot_mapping: Tensor,
    skip_prefix: int = 0,
) -> None:
    """``key_value`` is [2, L, T, D], with any strides."""
    with _apart(caches, [key_value]) as (copy,):
        _move(direction, caches.group, caches.view, copy, slot_mapping, skip_prefix)


@contextmanager
def _apart(caches: LaidOut, objects: Sequence[Tensor]) -> Iterator[list[Tensor]]:
    """The objects as the caches are laid out, [planes, T, D / heads]; what is written comes back.

    No copy is made of a contiguous object where heads are not apart.
    """
    seen = [caches.seen(tensor) for tensor in objects]
    copies = [tensor.contiguous() for tensor in seen]
    yield [copy.flatten(0, 2) for copy in copies]
    for tensor, copy in zip(seen, copies, strict=True):
        tensor.copy_(copy)


def _move_all(
    direction: TransferDirection | bool,
    group: Group,
    view: LayerView,
    objects: Sequence[Tensor],
    mapping: slots.Ids,
    spans: Sequence[tuple[int, int]],
    skip_prefix: int = 0,
    chunk_size: int | None = None,
) -> None:
    to_host = TransferDirection(int(direction)) is TransferDirection.D2H
    plan = slots.plan(
        mapping,
        spans,
        view.block_size,
        view.num_slots,
        writes=not to_host,
        skip_prefix=skip_prefix,
        chunk_size=chunk_size,
    )
    if plan.moves:
        run = transfer.store if to_host else transfer.load
        run(plan, [group], [(tensor,) for tensor in objects]).land()


def _pairs(caches: Caches) -> Iterator[tuple[Tensor, Tensor]]:
    """Of a list of keys and one of values, or of both in one list."""
    half = len(caches) // 2
    lists = (caches[:half], caches[half:]) if isinstance(caches[0], Tensor) else caches
    return zip(*lists, strict=True)


def _views(caches: Caches, mla: bool, block_size: int) -> list[LayerView]:
    if isinstance(caches, Tensor):
        return [at_address(int(address)) for address in caches.tolist()]
    return [_view(cache, mla, block_size) for cache in caches]


def _view(cache: Tensor | Sequence[Tensor | None], mla: bool, block_size: int) -> LayerView:
    """Beside what an engine has, flat caches: [P, D], and [2, P, D] where it is not MLA."""
    if isinstance(cache, Tensor) and mla and cache.dim() == 2:
        return flat_view(cache, None, block_size)
    if isinstance(cache, Tensor) and not mla and cache.dim() == 3:
        return flat_view(cache[0], cache[1], block_size)
    return layer_view(cache, block_size)


def _pair(key: Tensor, value: Tensor, block_size: int) -> LayerView:
    return (
        layer_view((key, value))
        if key.dim() == 4
        else flat_view(key.flatten(1), value.flatten(1), block_size)
    )


def _is_mla(layout: EngineKVFormat | bool) -> bool:
    return layout if isinstance(layout, bool) else layout in _MLA
