"""A paged cache with known bits, as vLLM's Gaudi plugin registers it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

Pair = tuple[str, Tensor, Tensor]
_SPARE = 2  # blocks that no prompt has
_INDEX = 8  # bytes of a slot's or a block's number


@dataclass(frozen=True)
class Geometry:
    """Of a cache in bf16, and of the objects that hold ``chunk_size`` tokens of it."""

    layers: int
    kv_heads: int
    head_size: int
    block_size: int
    chunk_size: int

    @property
    def width(self) -> int:
        return self.kv_heads * self.head_size

    @property
    def token_bytes(self) -> int:
        """Keys and values of all layers."""
        return 2 * self.layers * self.width * torch.bfloat16.itemsize


class PagedCaches:
    """Keys and values a layer, [NB, BS, NH, HS], whose bits are those of one plane but for a mask.

    ``slots`` [T] is the slot mapping of a prompt, on the device, where the adapter has it.
    """

    def __init__(self, geometry: Geometry, tokens: int) -> None:
        self._geometry = geometry
        size = geometry.block_size
        blocks = -(-tokens // size) + _SPARE
        shape = (blocks, size, geometry.kv_heads, geometry.head_size)
        seeded = torch.Generator().manual_seed(0)
        self._base = torch.randint(-(1 << 15), 1 << 15, shape, dtype=torch.int16, generator=seeded)
        self.on_device = [
            tuple(torch.empty(shape, dtype=torch.bfloat16, device="hpu") for _ in (0, 1))
            for _ in range(geometry.layers)
        ]
        order = torch.tensor(random.Random(0).sample(range(blocks), blocks))
        self._slots = (order[:, None] * size + torch.arange(size)).flatten()[:tokens]
        self.slots = self._slots.to("hpu")

    def rows(self, start: int, end: int) -> Tensor:
        """[2, L, T, D]: what these tokens of a prompt have in the cache."""
        rows = self._base.view(-1, self._geometry.width)[self._slots[start:end]]
        masks = torch.arange(2 * self._geometry.layers, dtype=torch.int16)
        return (rows ^ masks[:, None, None]).view(torch.bfloat16).unflatten(0, (2, -1))

    def fill(self) -> None:
        """The bits that a prompt finds."""
        for kind, layer, cache in self._planes():
            _write(cache, self._bits(kind, layer))

    def lose(self) -> None:
        """Other bits everywhere."""
        for kind, layer, cache in self._planes():
            _write(cache, ~self._bits(kind, layer))

    def loaded(self, tokens: int) -> Iterator[Pair]:
        """Each plane, and what it holds when the prompt is back and nothing else has changed."""
        width, slots = self._geometry.width, self._slots[:tokens]
        for kind, layer, cache in self._planes():
            bits = self._bits(kind, layer)
            expected = ~bits
            expected.view(-1, width)[slots] = bits.view(-1, width)[slots]
            name = ("keys", "values")[kind]
            yield f"the {name} of layer {layer} have", cache, expected.view(torch.bfloat16)

    def index_bytes(self, tokens: int) -> int:
        """Of the slot mapping, which is read, and of the ids of blocks and single tokens."""
        blocks = tokens // self._geometry.block_size
        return _INDEX * (tokens + blocks + self._geometry.block_size)

    def _planes(self) -> Iterator[tuple[int, int, Tensor]]:
        for layer, pair in enumerate(self.on_device):
            for kind, cache in enumerate(pair):
                yield kind, layer, cache

    def _bits(self, kind: int, layer: int) -> Tensor:
        return self._base ^ (kind * self._geometry.layers + layer)


def _write(cache: Tensor, bits: Tensor) -> None:
    """By the device, as a model does: what runs on another stream has to wait for it."""
    cache.copy_(bits.view(torch.bfloat16).to("hpu"))
