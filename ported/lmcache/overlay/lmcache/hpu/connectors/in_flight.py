"""Layers on their way over a stream of their own, and the memory that they need until then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from lmcache.hpu.transfer import Flight
from lmcache.v1.memory_management import MemoryObj


@dataclass(frozen=True)
class Layer:
    """A layer that was launched. ``done`` is recorded behind it."""

    flight: Flight
    done: Any
    memory_objs: tuple[MemoryObj, ...]


class InFlight:
    """The layers of a connector that the host has not waited for.

    Their memory objects are referenced, so that nobody else gets the memory: upstream's engine
    lets go of those that it loads when the last layer is launched.
    """

    def __init__(self) -> None:
        self._layers = 0

    def memcheck(self) -> bool:
        """Whether nothing is held; as upstream asks the allocator of its staging buffers."""
        return not self._layers

    def launch(
        self, stream: Any, move: Callable[[], Flight], memory_objs: Sequence[MemoryObj]
    ) -> Layer:
        """Run ``move`` on ``stream``."""
        with torch.hpu.stream(stream):
            layer = Layer(move(), stream.record_event(), tuple(memory_objs))
        for memory_obj in memory_objs:
            memory_obj.ref_count_up()
        self._layers += 1
        return layer

    def land(self, layers: list[Layer]) -> None:
        """Let the host wait for all ``layers``, launched on one stream in this order; once."""
        if layers:
            layers[-1].done.synchronize()
        while layers:
            layer = layers.pop(0)
            layer.flight.land(_nothing)
            for memory_obj in layer.memory_objs:
                memory_obj.ref_count_down()
            self._layers -= 1


def _nothing() -> None:
    """There is nothing to wait for: a later layer of the stream is done."""
