"""An engine's KV cache, whatever its form, as blocks and as rows of each layer.

What vLLM's Gaudi plugin registers is a pair (key, value) a layer, each [NB, BS, NH, HS];
what its model runner holds is ``(key, value, key scales, value scales)``, each flattened
to [(NB + 1) * BS, NH, HS], where the last block is padding and never live.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import gcd
from weakref import WeakValueDictionary

import torch
from torch import Tensor

_LARGEST_BLOCK = 128  # of a cache whose blocks are not known: any divisor of its slots is right


@dataclass(frozen=True)
class Plane:
    """The keys or the values of one layer: block b of the engine is ``blocks[b * every + at]``.

    ``blocks`` is [pool, BS, D]. Where keys and values take turns in one tensor, both are planes
    of the same pool, with ``every`` 2.
    """

    blocks: Tensor
    every: int = 1
    at: int = 0

    def units(self, size: int) -> Tensor:
        """The pool cut into pieces of ``size`` tokens, [n, size, D]."""
        block_size, width = self.blocks.shape[1:]
        return self.blocks if size == block_size else self.blocks.view(-1, size, width)


# Compared by identity, for there is no sense in comparing caches by value.
@dataclass(frozen=True, eq=False)
class LayerView:
    """The planes of one layer: key and value, or the one latent plane of MLA.

    ``num_blocks`` are the live ones, without a pad block.
    """

    planes: tuple[Plane, ...]
    num_blocks: int

    @property
    def is_mla(self) -> bool:
        return len(self.planes) == 1

    @property
    def block_size(self) -> int:
        return int(self.planes[0].blocks.shape[1])

    @property
    def width(self) -> int:
        """Elements of a token: heads * head size."""
        return int(self.planes[0].blocks.shape[2])

    @property
    def num_slots(self) -> int:
        return self.num_blocks * self.block_size

    @property
    def dtype(self) -> torch.dtype:
        return self.planes[0].blocks.dtype

    @property
    def shape(self) -> tuple[object, ...]:
        """Equal for layers that memory objects can hold side by side."""
        return len(self.planes), self.num_blocks, self.block_size, self.width, self.dtype


def kv_views(
    kv_caches: Iterable[Tensor | Sequence[Tensor | None]], block_size: int | None = None
) -> list[LayerView]:
    """One view a layer. ``block_size`` is asked for by flattened caches alone.

    Raises ValueError for a layer whose cache cannot be stored whole, or has no known layout.
    """
    return [layer_view(cache, block_size, layer) for layer, cache in enumerate(kv_caches)]


def layer_view(
    cache: Tensor | Sequence[Tensor | None], block_size: int | None = None, layer: int = 0
) -> LayerView:
    """The view of one layer; ``layer`` is for the message. Raises ValueError as ``kv_views``."""
    try:
        for part in (cache,) if isinstance(cache, Tensor) else cache:
            if isinstance(part, Tensor) and not part.is_contiguous():
                raise ValueError(f"its strides {part.stride()} are not those of blocks in a row")
        return _tensor(cache) if isinstance(cache, Tensor) else _tuple(cache, block_size)
    except ValueError as error:
        raise ValueError(f"KV cache of layer {layer}: {error}") from None


def flat_view(key: Tensor, value: Tensor | None, block_size: int = 0) -> LayerView:
    """The view of flat caches [P, D] all of whose slots are live.

    Without a ``block_size``, the slots are taken in blocks of the largest size that divides them.
    """
    size = block_size or gcd(len(key), _LARGEST_BLOCK)
    planes = [key] if value is None else [key, value]
    return _view([plane.view(-1, size, plane.shape[-1]) for plane in planes])


def remember(address: int, view: LayerView) -> LayerView:
    """Let operations find ``view`` by the address of its memory, for as long as it lives."""
    _known[address] = view
    return view


def at_address(address: int) -> LayerView:
    """The view that was remembered. Raises ValueError where there is none."""
    view = _known.get(address)
    if view is None:
        raise ValueError(
            f"no KV cache is known at address {address:#x}: on Gaudi an address cannot be turned "
            "into a tensor; pass the caches themselves, as a list"
        )
    return view


_known: WeakValueDictionary[int, LayerView] = WeakValueDictionary()


def _tensor(cache: Tensor) -> LayerView:
    if cache.dim() == 3:
        return _view([cache])
    if cache.dim() == 5 and cache.shape[0] == 2:
        return _view([_merged(cache[0]), _merged(cache[1])])
    if cache.dim() == 5 and cache.shape[1] == 2:
        pool = _merged(cache.flatten(0, 1))
        return LayerView((Plane(pool, 2, 0), Plane(pool, 2, 1)), int(cache.shape[0]))
    if cache.dim() == 4:
        raise ValueError(
            "one tensor of four dimensions holds keys without values, which is what vLLM's Gaudi "
            "plugin registers for a cache with dynamic scales; it would be stored by half: use "
            "static scales, or bf16"
        )
    raise ValueError(f"unknown layout {tuple(cache.shape)}")


def _tuple(cache: Sequence[Tensor | None], block_size: int | None) -> LayerView:
    key, value, *scales = (*cache, None)[: max(len(cache), 2)]
    if any(scale is not None for scale in scales):
        raise ValueError(
            "it has dynamic scales beside keys and values, which LMCache would not store: use "
            "static scales, or bf16"
        )
    if key is None or not all(
        isinstance(part, Tensor) for part in (key, value) if part is not None
    ):
        raise ValueError("it is no pair of tensors")
    if value is None:
        return _view([key]) if key.dim() == 3 else _flattened([key], block_size)
    if key.shape != value.shape or key.dtype != value.dtype:
        raise ValueError(
            f"its two tensors, {tuple(key.shape)} {key.dtype} and {tuple(value.shape)} "
            f"{value.dtype}, are no keys and values but the state of a Mamba or linear attention "
            "layer, which LMCache's connectors do not store"
        )
    if key.dim() == 4:
        return _view([_merged(key), _merged(value)])
    if key.dim() == 3:
        return _flattened([key.flatten(1), value.flatten(1)], block_size)
    raise ValueError(f"unknown layout: a pair of {tuple(key.shape)}")


def _flattened(planes: list[Tensor], block_size: int | None) -> LayerView:
    """[(NB + 1) * BS, D] each."""
    if not block_size:
        raise ValueError("it is flattened, so its block size has to be given")
    slots = len(planes[0])
    if planes[0].dim() != 2 or slots % block_size:
        raise ValueError(f"{slots} slots are no blocks of {block_size}")
    return _view([plane.view(-1, block_size, plane.shape[1]) for plane in planes], pad_blocks=1)


def _view(pools: list[Tensor], pad_blocks: int = 0) -> LayerView:
    planes = tuple(Plane(pool) for pool in pools)
    return LayerView(planes, len(pools[0]) - pad_blocks)


def _merged(cache: Tensor) -> Tensor:
    """[NB, BS, NH, HS] as [NB, BS, D]."""
    return cache.flatten(2)
