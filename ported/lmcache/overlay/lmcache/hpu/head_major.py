"""Caches that keep the heads of a block apart, [2, NB, NH, BS, HS] or [NB, 2, NH, BS, HS] a layer.

Engines for CUDA may; Gaudi's never do. Each head is moved as a layer of its own, by way of a copy
of the object, so this is right but not fast.
"""

from __future__ import annotations

from collections.abc import Sequence

from lmcache.hpu.kv_views import LayerView, Plane
from lmcache.hpu.layouts import EngineKVFormat
from lmcache.hpu.transfer import Group
from torch import Tensor

LAYOUTS = {EngineKVFormat.NL_X_TWO_NB_NH_BS_HS, EngineKVFormat.NL_X_NB_TWO_NH_BS_HS}


def is_head_major(layout: object) -> bool:
    return not isinstance(layout, bool) and layout in LAYOUTS


def heads_of(caches: Sequence[Tensor], layout: object) -> tuple[Group, LayerView]:
    """The planes of all layers, kind by kind, layer by layer, head by head; and those of one layer.

    Raises ValueError for caches that are not tensors of five dimensions.
    """
    for cache in caches:
        if not isinstance(cache, Tensor) or cache.dim() != 5:
            raise ValueError("a cache with its heads apart is one tensor of five dimensions")
    in_turns = layout == EngineKVFormat.NL_X_NB_TWO_NH_BS_HS
    layers = [_in_turns(cache) if in_turns else _two_major(cache) for cache in caches]
    planes = tuple(plane for kind in (0, 1) for layer in layers for plane in layer[kind])
    num_blocks = caches[0].shape[0 if in_turns else 1]
    return Group(planes), LayerView((*layers[0][0], *layers[0][1]), int(num_blocks))


def by_heads(key_value: Tensor, num_heads: int) -> Tensor:
    """An object [2, L, T, D] as [2, L, NH, T, HS], on its memory."""
    return key_value.unflatten(-1, (num_heads, -1)).transpose(2, 3)


def _two_major(cache: Tensor) -> list[list[Plane]]:
    every = cache.shape[2]
    return [[Plane(part.flatten(0, 1), every, head) for head in range(every)] for part in cache]


def _in_turns(cache: Tensor) -> list[list[Plane]]:
    heads, pool = cache.shape[2], cache.flatten(0, 2)
    return [[Plane(pool, 2 * heads, kind * heads + h) for h in range(heads)] for kind in (0, 1)]
