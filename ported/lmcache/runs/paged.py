"""Whole prompts, all layers at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from caches import Geometry, Pair
from lmcache.hpu.connectors.paged import VLLMPagedMemHPUConnectorV2, VLLMPagedMemHPUConnectorV3
from lmcache.v1.memory_management import MemoryFormat
from releases import made
from trip import Objects, Trip


def v2(tokens: int, **geometry: int) -> PagedTrip:
    """One tensor an object."""
    shape = Geometry(**geometry)
    return PagedTrip(tokens, shape, made(VLLMPagedMemHPUConnectorV2, shape))


def v3(tokens: int, **geometry: int) -> PagedTrip:
    """One tensor a group of layers, of which there is one here."""
    shape = Geometry(**geometry)
    connector = made(VLLMPagedMemHPUConnectorV3, shape, use_gpu_connector_v3=True)
    return PagedTrip(tokens, shape, connector)


class PagedTrip(Trip):
    """Objects are [2, L, T, D]."""

    def __init__(self, tokens: int, geometry: Geometry, connector: Any) -> None:
        super().__init__(tokens, geometry, connector)
        shape = (2, geometry.layers, -1, geometry.width)
        self._pool = Objects(shape, MemoryFormat.KV_2LTD, geometry.chunk_size)
        self._objects: list[Any] = []

    def objects(self) -> list[Any]:
        return self._objects

    def store(self, tokens: int) -> None:
        self._objects = self._pool.of(tokens)
        self.connector.batched_from_gpu(self._objects, *self.spans(tokens), **self.told(tokens))

    def stored(self, tokens: int) -> Iterator[Pair]:
        for item, start, end in zip(self._objects, *self.spans(tokens), strict=True):
            name = f"the object of tokens {start} to {end} has"
            yield name, item.tensor, self.caches.rows(start, end)

    def load(self, tokens: int) -> None:
        self.connector.batched_to_gpu(self._objects, *self.spans(tokens), **self.told(tokens))
