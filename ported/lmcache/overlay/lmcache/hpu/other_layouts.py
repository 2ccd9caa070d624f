"""Caches as engines on other devices lay them out, told by the name of their layout.

Gaudi's never are: what an engine has there ``kv_views`` knows by its form. Where heads lie apart,
each is moved as a layer of its own, by way of a copy of the object; right, but not fast.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

from lmcache.hpu.kv_views import LayerView, Plane
from lmcache.hpu.layouts import EngineKVFormat
from lmcache.hpu.transfer import Group
from torch import Tensor

LAYOUTS = {
    EngineKVFormat.NL_X_NB_TWO_BS_NH_HS,
    EngineKVFormat.NL_X_TWO_NB_NH_BS_HS,
    EngineKVFormat.NL_X_NB_TWO_NH_BS_HS,
    EngineKVFormat.NL_X_NB_NH_BS_TWO_HS,
    EngineKVFormat.NL_X_NB_BS_NH_TWO_HS,
}
CROSS_LAYER = {EngineKVFormat.NB_NL_TWO_BS_NH_HS, EngineKVFormat.NB_NL_TWO_NH_BS_HS}


@dataclass(frozen=True)
class LaidOut:
    """``group`` has the planes of all layers, kind by kind, layer by layer, ``heads`` each."""

    group: Group
    view: LayerView
    heads: int

    def seen(self, key_value: Tensor) -> Tensor:
        """An object [2, L, T, D] as [2, L, heads, T, D / heads], on its memory."""
        return key_value.unflatten(-1, (self.heads, -1)).transpose(2, 3)


def laid_out(caches: Sequence[Tensor], layout: EngineKVFormat) -> LaidOut:
    """One tensor a layer, or one alone of all layers. Heads may be one axis with their elements.

    Raises ValueError for caches that do not have the axes of the layout.
    """
    axes = layout.name.removeprefix("NL_X_").split("_")
    if layout in CROSS_LAYER and len(caches) != 1:
        raise ValueError(f"{layout.name} is one tensor, not {len(caches)}")
    found: dict[tuple[int, int, int], Plane] = {}
    for layer, cache in enumerate(caches):
        for at, plane in _planes(_with_axes(cache, axes, layout), axes):
            found[at["TWO"], at.get("NL", layer), at.get("NH", 0)] = plane
    group = Group(tuple(found[place] for place in sorted(found)))
    one_layer = tuple(found[place] for place in sorted(found) if place[1] == 0)
    num_blocks = len(one_layer[0].blocks) // one_layer[0].every
    return LaidOut(group, LayerView(one_layer, num_blocks), len(one_layer) // 2)


def _with_axes(cache: Tensor, axes: Sequence[str], layout: EngineKVFormat) -> Tensor:
    seen = cache
    if isinstance(seen, Tensor) and axes[-2:] == ["TWO", "HS"]:
        seen = seen.unflatten(-1, (2, -1))
    if isinstance(seen, Tensor) and axes[-2:] == ["NH", "HS"] and seen.dim() == len(axes) - 1:
        seen = seen.unsqueeze(-2)
    fits = isinstance(seen, Tensor) and seen.dim() == len(axes)
    if not fits or seen.shape[axes.index("TWO")] != 2:
        kind = tuple(cache.shape) if isinstance(cache, Tensor) else type(cache).__name__
        raise ValueError(f"a cache {kind} is not laid out as {layout.name}")
    return seen


def _planes(cache: Tensor, axes: Sequence[str]) -> Iterator[tuple[dict[str, int], Plane]]:
    """Each plane of a tensor, and where it is on the axes beside blocks, tokens and elements."""
    if axes[-2:] == ["NH", "HS"]:
        cache, axes = cache.flatten(-2), [*axes[:-2], "HS"]
    block, token = axes.index("NB"), axes.index("BS")
    before, between, behind = axes[:block], axes[block + 1 : token], axes[token + 1 : -1]
    sizes = dict(zip(axes, cache.shape, strict=True))
    every = prod(sizes[name] for name in between)

    def places(names: Sequence[str]) -> Iterator[tuple[int, ...]]:
        return product(*(range(sizes[name]) for name in names))

    for outer, (at, inner), last in product(
        places(before), enumerate(places(between)), places(behind)
    ):
        pool = cache[outer].flatten(0, len(between))[(slice(None), slice(None), *last)]
        names, numbers = (*before, *between, *behind), (*outer, *inner, *last)
        yield dict(zip(names, numbers, strict=True)), Plane(pool, every, at)
