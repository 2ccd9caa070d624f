"""Whole prompts a layer at a time, resumed as the engine does, with nothing computed between."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from caches import Geometry, Pair
from lmcache.hpu.connectors.blending import VLLMBufferLayerwiseHPUConnector
from lmcache.hpu.connectors.layerwise import VLLMPagedMemLayerwiseHPUConnector
from lmcache.v1.memory_management import MemoryFormat
from releases import made
from trip import Objects, Trip


def paged(tokens: int, **geometry: int) -> LayerwiseTrip:
    """Between objects [T, 2, D] and the blocks of the cache."""
    shape = Geometry(**geometry)
    connector = made(VLLMPagedMemLayerwiseHPUConnector, shape, use_layerwise=True)
    return LayerwiseTrip(tokens, shape, connector, MemoryFormat.KV_T2D)


def buffered(tokens: int, **geometry: int) -> LayerwiseTrip:
    """By way of the blender's buffer, to where the keys were computed: none of them is rotated.

    Objects are [2, T, D].
    """
    shape = Geometry(**geometry)
    chosen = {"use_layerwise": True, "enable_blending": True}
    connector = made(VLLMBufferLayerwiseHPUConnector, shape, **chosen)
    return LayerwiseTrip(tokens, shape, connector, MemoryFormat.KV_2TD)


class LayerwiseTrip(Trip):
    """Objects are of one layer each."""

    def __init__(self, tokens: int, geometry: Geometry, connector: Any, form: Any) -> None:
        super().__init__(tokens, geometry, connector)
        self._token_axis = 0 if form == MemoryFormat.KV_T2D else 1
        shape = (-1, 2, geometry.width) if self._token_axis == 0 else (2, -1, geometry.width)
        self._pools = [Objects(shape, form, geometry.chunk_size) for _ in range(geometry.layers)]
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
                yield name, item.tensor, rows[:, layer].transpose(0, 1 - self._token_axis)

    def load(self, tokens: int) -> None:
        told = self.told(tokens, sync=True)
        layers = self.connector.batched_to_gpu(*self.spans(tokens), **told)
        next(layers)
        for of_layer in self._objects:
            layers.send(of_layer)
        for _ in layers:
            """The last layer is computed here."""
