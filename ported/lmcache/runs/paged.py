"""Whole prompts between vLLM's paged cache and LMCache's memory objects, all layers at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from caches import Geometry, PagedCaches, Pair
from lmcache.v1.memory_management import MemoryFormat
from releases import allocator, created, is_of_a_class, named


def v2(tokens: int, **geometry: int) -> PagedTrip:
    """One tensor an object."""
    shape = Geometry(**geometry)
    make = named if is_of_a_class() else created
    return PagedTrip(tokens, shape, make("VLLMPagedMemHPUConnectorV2", shape))


def v3(tokens: int, **geometry: int) -> PagedTrip:
    """One tensor a group of layers, of which there is one here."""
    shape = Geometry(**geometry)
    connector = created("VLLMPagedMemHPUConnectorV3", shape, use_gpu_connector_v3=True)
    return PagedTrip(tokens, shape, connector)


class PagedTrip:
    """A connector, a paged cache, and the memory objects of one prompt."""

    def __init__(self, tokens: int, geometry: Geometry, connector: Any) -> None:
        self._geometry, self._connector = geometry, connector
        self._caches = PagedCaches(geometry, tokens)
        self._allocator = allocator()
        self._whole: list[Any] = []
        self._last: list[Any] = []
        self._objects: list[Any] = []
        self.block_bytes = geometry.token_bytes * geometry.block_size

    def kv_bytes(self, tokens: int) -> int:
        return tokens * self._geometry.token_bytes

    def index_bytes(self, tokens: int) -> int:
        return self._caches.index_bytes(tokens)

    def store(self, tokens: int) -> None:
        self._objects = self._of(tokens)
        self._connector.batched_from_gpu(self._objects, *self._spans(tokens), **self._told(tokens))

    def stored(self, tokens: int) -> Iterator[Pair]:
        for item, start, end in zip(self._objects, *self._spans(tokens), strict=True):
            name = f"the object of tokens {start} to {end} has"
            yield name, item.tensor, self._caches.rows(start, end)

    def fill(self) -> None:
        self._caches.fill()

    def lose(self) -> None:
        self._caches.lose()

    def load(self, tokens: int) -> None:
        self._connector.batched_to_gpu(self._objects, *self._spans(tokens), **self._told(tokens))

    def loaded(self, tokens: int) -> Iterator[Pair]:
        for item in self._objects:
            item.tensor.zero_()  # the engine may use its memory again
        return self._caches.loaded(tokens)

    def _told(self, tokens: int) -> dict[str, Any]:
        return {"kvcaches": self._caches.on_device, "slot_mapping": self._caches.slots[:tokens]}

    def _spans(self, tokens: int) -> tuple[list[int], list[int]]:
        size = self._geometry.chunk_size
        starts = list(range(0, tokens, size))
        return starts, [min(start + size, tokens) for start in starts]

    def _of(self, tokens: int) -> list[Any]:
        """Objects for a prompt: whole ones are used again, as they are by an engine."""
        size = self._geometry.chunk_size
        whole, rest = divmod(tokens, size)
        while len(self._whole) < whole:
            self._whole.append(self._object(size))
        for item in self._last:
            item.ref_count_down()
        self._last = [self._object(rest)] if rest else []
        return [*self._whole[:whole], *self._last]

    def _object(self, tokens: int) -> Any:
        shape = torch.Size([2, self._geometry.layers, tokens, self._geometry.width])
        return self._allocator.allocate(shape, torch.bfloat16, MemoryFormat.KV_2LTD)
