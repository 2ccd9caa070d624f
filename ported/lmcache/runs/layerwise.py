"""Whole prompts a layer at a time, resumed as the engine does, with nothing computed between."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from caches import Geometry, Pair
from lmcache.hpu.connectors.layerwise import VLLMPagedMemLayerwiseHPUConnector
from lmcache.v1.memory_management import MemoryFormat
from releases import made
from trip import Objects, Trip


def paged(tokens: int, **geometry: int) -> LayerwiseTrip:
    """Between memory objects and the blocks of the cache."""
    shape = Geometry(**geometry)
    connector = made(VLLMPagedMemLayerwiseHPUConnector, shape, use_layerwise=True)
    return LayerwiseTrip(tokens, shape, connector)


class LayerwiseTrip(Trip):
    """Objects are [T, 2, D], of one layer each."""

    def __init__(self, tokens: int, geometry: Geometry, connector: Any) -> None:
        super().__init__(tokens, geometry, connector)
        shape = (-1, 2, geometry.width)
        self._pools = [
            Objects(shape, MemoryFormat.KV_T2D, geometry.chunk_size) for _ in range(geometry.layers)
        ]
        self._objects: list[list[Any]] = []

    def objects(self) -> Iterator[Any]:
        return (item for of_layer in self._objects for item in of_layer)

    def store(self, tokens: int) -> None:
        self._objects = [pool.of(tokens) for pool in self._pools]
        told = self.told(tokens, sync=True)
        for _ in self.connector.batched_from_gpu(self._objects, *self.spans(tokens), **told):
            """A layer is computed here."""

    def stored(self, tokens: int) -> Iterator[Pair]:
        chunks = zip(*self._objects, strict=True)
        for items, start, end in zip(chunks, *self.spans(tokens), strict=True):
            rows = self.caches.rows(start, end)
            for layer, item in enumerate(items):
                name = f"layer {layer}'s object of tokens {start} to {end} has"
                yield name, item.tensor, rows[:, layer].transpose(0, 1)

    def load(self, tokens: int) -> None:
        told = self.told(tokens, sync=True)
        layers = self.connector.batched_to_gpu(*self.spans(tokens), **told)
        next(layers)
        for of_layer in self._objects:
            layers.send(of_layer)
        for _ in layers:
            """The last layer is computed here."""
