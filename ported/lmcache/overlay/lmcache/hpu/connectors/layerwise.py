"""One layer at a time between memory objects and the paged cache, beside the computation.

Both directions are generators which the engine resumes once a layer, before that layer's attention
or behind it. What to move is planned once, on the CPU, and holds for all layers; the ids are sent
with the first. Each direction has a stream of its own, ordered against the computation by events:
the host does not wait between the layers of a load.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any

import torch
from lmcache.hpu import transfer
from lmcache.hpu.connectors.base import HPUConnector, check_format, geometry, only_tensor
from lmcache.hpu.connectors.in_flight import InFlight, Layer
from lmcache.hpu.connectors.upstream import taken_for
from lmcache.hpu.kv_views import LayerView
from lmcache.hpu.slots import Plan
from lmcache.hpu.transfer import Flight, Group, SentIds
from lmcache.v1.memory_management import MemoryFormat, MemoryObj

Layers = Generator[None, Sequence[MemoryObj], None]


class LayerwiseHPUConnector(HPUConnector):
    """What moves a layer at a time, whatever the form of its memory objects."""

    most_together = 64  # a layer is small beside all of them

    def __init__(
        self,
        hidden_dim_size: int,
        num_layers: int,
        *,
        use_mla: bool,
        chunk_size: int | None,
        block_size: int | None,
    ) -> None:
        super().__init__(use_mla, chunk_size, block_size)
        self.hidden_dim_size = hidden_dim_size
        self.num_layers = num_layers
        self.load_stream = torch.hpu.Stream()
        self.store_stream = torch.hpu.Stream()
        self._in_flight = InFlight()

    @property
    def gpu_buffer_allocator(self) -> InFlight:
        """What upstream asks whether all was given back."""
        return self._in_flight

    def to_gpu(self, memory_obj: MemoryObj, start: int, end: int, **kwargs: Any) -> None:
        raise NotImplementedError("layers are loaded by batched_to_gpu")

    def from_gpu(self, memory_obj: MemoryObj, start: int, end: int, **kwargs: Any) -> None:
        raise NotImplementedError("layers are stored by batched_from_gpu")

    def _in_one_graph(self) -> Sequence[LayerView]:
        return self._views[:1]

    def _store_layer(
        self, plan: Plan, group: Group, memory_objs: Sequence[MemoryObj], sent: SentIds
    ) -> Layer:
        """Behind what was computed so far."""
        self.store_stream.wait_stream(torch.hpu.current_stream())
        move = _moving(transfer.store, plan, group, memory_objs, sent)
        return self._in_flight.launch(self.store_stream, move, memory_objs)

    def _store_layers(
        self, plan: Plan, memory_objs: Sequence[Sequence[MemoryObj]]
    ) -> Generator[None, None, None]:
        """Yields behind the launch of each layer, by when the host has waited for the one before.

        Behind the last the host waits, too, and does not yield.
        """
        sent = SentIds(plan.block_size, self._groups[0].device)
        under_way: list[Layer] = []
        try:
            for group, of_layer in zip(self._groups, memory_objs, strict=True):
                launched = self._store_layer(plan, group, of_layer, sent)
                self._in_flight.land(under_way)
                under_way.append(launched)
                yield
        finally:
            self._in_flight.land(under_way)


@taken_for("VLLMPagedMemLayerwiseGPUConnector")
class VLLMPagedMemLayerwiseHPUConnector(LayerwiseHPUConnector):
    """Objects are [T, 2, D], or [T, D] with MLA; they go straight to the blocks of the cache."""

    def __init__(
        self,
        hidden_dim_size: int,
        num_layers: int,
        use_gpu: bool = False,
        *,
        chunk_size: int | None = None,
        dtype: torch.dtype | None = None,
        device: torch.device | None = None,
        use_mla: bool = False,
        layout_hints: object = None,
        block_size: int | None = None,
    ) -> None:
        """As upstream's; a staging buffer (``use_gpu``) and hints of layouts are not needed."""
        super().__init__(
            hidden_dim_size,
            num_layers,
            use_mla=use_mla,
            chunk_size=chunk_size,
            block_size=block_size,
        )

    @classmethod
    def from_metadata(
        cls,
        metadata: Any,
        use_gpu: bool = False,
        device: torch.device | None = None,
        layout_hints: object = None,
    ) -> VLLMPagedMemLayerwiseHPUConnector:
        return cls(use_gpu=use_gpu, **geometry(metadata))

    def get_shape(self, num_tokens: int) -> torch.Size:
        """Of an object, which holds one layer."""
        planes = () if self.use_mla else (2,)
        return torch.Size([num_tokens, *planes, self.hidden_dim_size])

    def batched_to_gpu(self, starts: list[int], ends: list[int], **kwargs: Any) -> Layers:
        """Load; yields a time more than there are layers, and once again at the end.

        All but the last two take the objects of a layer by ``send``. A layer that is in the cache
        by ``sync`` is so for what is computed when the generator was resumed once more; without
        ``sync``, when another one was that is resumed behind this one. At the last yield nothing
        reads the objects any more. ``slot_mapping`` is that of the whole sequence, on the CPU or,
        for a wait more, on the device; tokens before ``vllm_cached_tokens`` are left alone. Raises
        ValueError for objects of another format, and without ``sync``, ``kvcaches`` or
        ``slot_mapping``.
        """
        sync = _sync(kwargs)
        plan = self._plan(starts, ends, kwargs, writes=True)
        sent = SentIds(plan.block_size, self._groups[0].device)
        wanted = MemoryFormat.KV_MLA_FMT if self.use_mla else MemoryFormat.KV_T2D
        under_way: list[Layer] = []
        try:
            for group in self._groups:
                memory_objs = yield
                check_format(memory_objs, wanted)
                if not under_way:
                    # The blocks may be in use yet for what they held before.
                    self.load_stream.wait_stream(torch.hpu.current_stream())
                elif sync:
                    torch.hpu.current_stream().wait_event(under_way[-1].done)
                move = _moving(transfer.load, plan, group, memory_objs, sent)
                under_way.append(self._in_flight.launch(self.load_stream, move, memory_objs))
            yield
            if sync:
                torch.hpu.current_stream().wait_event(under_way[-1].done)
        finally:
            self._in_flight.land(under_way)
        yield

    def batched_from_gpu(
        self,
        memory_objs: list[list[MemoryObj]],
        starts: list[int],
        ends: list[int],
        **kwargs: Any,
    ) -> Generator[None, None, None]:
        """Store ``memory_objs``, a list for each layer; yields once more than there are layers.

        What was computed when it is resumed is what a layer is stored from. The objects of a layer
        are complete one yield later, with or without ``sync``: the engine hands them on then.
        Otherwise as above.
        """
        _sync(kwargs)
        plan = self._plan(starts, ends, kwargs, writes=False)
        if self.use_mla:
            for memory_obj in (each for of_layer in memory_objs for each in of_layer):
                memory_obj.metadata.fmt = MemoryFormat.KV_MLA_FMT
        yield from self._store_layers(plan, memory_objs)
        yield

    def _grouped(self, views: list[LayerView]) -> list[Group]:
        Group.of(views)  # raises for layers that one plan does not hold for
        return [Group.of([view], token_major=True) for view in views]


def _sync(kwargs: dict[str, Any]) -> bool:
    if "sync" not in kwargs:
        raise ValueError("'sync' must be given")
    return bool(kwargs["sync"])


def _moving(
    move: Callable[..., Flight],
    plan: Plan,
    group: Group,
    memory_objs: Sequence[MemoryObj],
    sent: SentIds,
) -> Callable[[], Flight]:
    tensors = [(only_tensor(memory_obj),) for memory_obj in memory_objs]
    return lambda: move(plan, [group], tensors, sent)
