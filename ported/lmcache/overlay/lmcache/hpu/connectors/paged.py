"""Whole batches between memory objects and the paged cache: all layers, one wait.

They take the place of upstream's connectors of the same versions. Everything runs on the
current stream: upstream's engine waits for a batch before it goes on, so a stream beside it would
overlap nothing, and in lazy mode each switch of streams cuts a graph.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import torch
from lmcache.hpu import transfer
from lmcache.hpu.connectors.base import HPUConnector, check_format, geometry, only_tensor
from lmcache.hpu.connectors.groups import LayerGroup, LayerGroups, grouped
from lmcache.hpu.kv_views import LayerView
from lmcache.hpu.transfer import Flight, Group
from lmcache.v1.memory_management import MemoryFormat, MemoryObj
from torch import Tensor


class _PagedHPUConnector(HPUConnector):
    def to_gpu(self, memory_obj: MemoryObj, start: int, end: int, **kwargs: Any) -> None:
        """A batch of one, as ``batched_to_gpu``."""
        self.batched_to_gpu([memory_obj], [start], [end], **kwargs)

    def from_gpu(self, memory_obj: MemoryObj, start: int, end: int, **kwargs: Any) -> None:
        """A batch of one, as ``batched_from_gpu``."""
        self.batched_from_gpu([memory_obj], [start], [end], **kwargs)

    def batched_to_gpu(
        self,
        memory_objs: list[MemoryObj],
        starts: list[int],
        ends: list[int],
        **kwargs: Any,
    ) -> None:
        """Write objects into the cache; it is there when this returns.

        ``slot_mapping`` is that of the whole sequence, on the CPU or, for a wait more, on the
        device; tokens before ``vllm_cached_tokens`` are left alone. Raises ValueError for objects
        of another format, and without ``kvcaches`` or ``slot_mapping``.
        """
        wanted = MemoryFormat.KV_MLA_FMT if self.use_mla else MemoryFormat.KV_2LTD
        check_format(memory_objs, wanted)
        self._run(transfer.load, memory_objs, starts, ends, kwargs)

    def batched_from_gpu(
        self,
        memory_objs: list[MemoryObj],
        starts: list[int],
        ends: list[int],
        **kwargs: Any,
    ) -> None:
        """Read objects out of the cache; they are complete when this returns. As above."""
        self._run(transfer.store, memory_objs, starts, ends, kwargs)
        if self.use_mla:
            for memory_obj in memory_objs:
                memory_obj.metadata.fmt = MemoryFormat.KV_MLA_FMT

    @abstractmethod
    def _tensors(self, memory_obj: MemoryObj) -> list[Tensor]:
        """The tensors of a memory object, one a group."""

    def _in_one_graph(self) -> Sequence[LayerView]:
        return self._views

    def _run(
        self,
        move: Callable[..., Flight],
        memory_objs: Sequence[MemoryObj],
        starts: Sequence[int],
        ends: Sequence[int],
        kwargs: dict[str, Any],
    ) -> None:
        plan = self._plan(starts, ends, kwargs, writes=move is transfer.load)
        if plan.moves:
            move(plan, self._groups, [self._tensors(o) for o in memory_objs]).land()


class VLLMPagedMemHPUConnectorV2(_PagedHPUConnector):
    """One tensor an object, [2, L, T, D], or [1, L, T, D] with MLA."""

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
        super().__init__(use_mla, chunk_size, block_size)
        self.hidden_dim_size = hidden_dim_size
        self.num_layers = num_layers

    @classmethod
    def from_metadata(
        cls,
        metadata: Any,
        use_gpu: bool = False,
        device: torch.device | None = None,
        layout_hints: object = None,
    ) -> VLLMPagedMemHPUConnectorV2:
        return cls(use_gpu=use_gpu, **geometry(metadata))

    def get_shape(self, num_tokens: int) -> torch.Size:
        """Of an object; known before any cache is."""
        planes = 1 if self.use_mla else 2
        return torch.Size([planes, self.num_layers, num_tokens, self.hidden_dim_size])

    def _grouped(self, views: list[LayerView]) -> list[Group]:
        return [Group.of(views)]

    def _tensors(self, memory_obj: MemoryObj) -> list[Tensor]:
        return [only_tensor(memory_obj)]


class VLLMPagedMemHPUConnectorV3(_PagedHPUConnector):
    """One tensor an object for each group of layers of one shape; all groups are moved at once."""

    def __init__(
        self,
        metadata: Any,
        device: torch.device | None = None,
        use_gpu: bool = False,
        layout_hints: object = None,
        block_size: int | None = None,
    ) -> None:
        super().__init__(metadata.use_mla, metadata.chunk_size, block_size)
        self.metadata = metadata

    @classmethod
    def from_metadata(
        cls,
        metadata: Any,
        use_gpu: bool = False,
        device: torch.device | None = None,
        layout_hints: object = None,
    ) -> VLLMPagedMemHPUConnectorV3:
        return cls(metadata, device, use_gpu, layout_hints)

    def get_shape(self, num_tokens: int) -> torch.Size:
        """Of an object's only tensor; ``metadata.get_shapes`` knows those of several."""
        shapes = self.metadata.get_shapes(num_tokens)
        if len(shapes) > 1:
            raise NotImplementedError(f"{len(shapes)} tensors an object: ask metadata.get_shapes")
        return torch.Size(shapes[0])

    def _grouped(self, views: list[LayerView]) -> list[Group]:
        if not _groups_in(self.metadata.kv_layer_groups_manager):
            self.metadata.kv_layer_groups_manager = grouped(views)
        groups = _groups_in(self.metadata.kv_layer_groups_manager)
        return [Group.of([views[layer] for layer in group.layer_indices]) for group in groups]

    def _tensors(self, memory_obj: MemoryObj) -> list[Tensor]:
        return [memory_obj.get_tensor(number) for number in range(len(self._groups))]


def _groups_in(manager: LayerGroups | None) -> list[LayerGroup]:
    """Ours or upstream's, which had another name for them until 0.4.7."""
    groups = getattr(manager, "kernel_groups", None) or getattr(manager, "kv_layer_groups", None)
    return groups or []
