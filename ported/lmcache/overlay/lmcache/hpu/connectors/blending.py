"""A layer at a time by way of a buffer, in which LMCache's blender mixes reused keys and values.

Chunks of a prompt were computed at other positions, so their keys are rotated on. While the device
computes with a layer, the next one is on its way into the other of two buffers; when the blender
has done with a layer, it goes from its buffer to the blocks of the cache.
"""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from typing import Any

import torch
from lmcache.hpu.connectors.base import check_format
from lmcache.hpu.connectors.in_flight import Layer
from lmcache.hpu.connectors.layerwise import Layers, LayerwiseHPUConnector
from lmcache.hpu.connectors.prompt import Prompt
from lmcache.hpu.connectors.upstream import taken_for
from lmcache.hpu.kv_views import LayerView
from lmcache.hpu.transfer import Group
from lmcache.v1.memory_management import MemoryFormat, MemoryObj
from torch import Tensor


@taken_for("VLLMBufferLayerwiseGPUConnector")
class VLLMBufferLayerwiseHPUConnector(LayerwiseHPUConnector):
    """Objects are [2, T, D], of any number of tokens; a buffer is one for the whole prompt."""

    most_together = 8  # whoever cuts the prompt into chunks may make them large

    def __init__(
        self,
        hidden_dim_size: int,
        num_layers: int,
        use_gpu: bool = False,
        use_double_buffer: bool = True,
        *,
        chunk_size: int | None = None,
        dtype: torch.dtype | None = None,
        device: torch.device | None = None,
        layout_hints: object = None,
        block_size: int | None = None,
    ) -> None:
        """As upstream's. There always are two buffers, and objects of no certain size."""
        super().__init__(
            hidden_dim_size, num_layers, use_mla=False, chunk_size=None, block_size=block_size
        )
        self.fused_rotary_emb: Any = None
        self.buffer_mapping: dict[int, Tensor] = {}

    @classmethod
    def from_metadata(
        cls,
        metadata: Any,
        use_gpu: bool = False,
        device: torch.device | None = None,
        layout_hints: object = None,
    ) -> VLLMBufferLayerwiseHPUConnector:
        """``metadata`` is LMCacheMetadata, whose ``kv_shape`` is [L, 2, chunk, NH, HS].

        Raises ValueError for MLA, whose keys are not to be rotated.
        """
        num_layers, planes, _, num_heads, head_size = metadata.kv_shape
        if planes != 2:
            raise ValueError("enable_blending has no connector for MLA; set it to False")
        return cls(num_heads * head_size, num_layers, use_gpu)

    def get_shape(self, num_tokens: int) -> torch.Size:
        """Of an object, which holds one layer."""
        return torch.Size([2, num_tokens, self.hidden_dim_size])

    def get_kv(self, layer_id: int) -> tuple[Tensor, Tensor]:
        """Keys and values [T, D] of the prompt, to be written to; see ``batched_to_gpu``.

        Raises ValueError for a layer that is in no buffer.
        """
        if layer_id not in self.buffer_mapping:
            raise ValueError(f"layer {layer_id} is in no buffer")
        key, value = self.buffer_mapping[layer_id]
        return key, value

    def batched_to_gpu(self, starts: list[int], ends: list[int], **kwargs: Any) -> Layers:
        """Load; yields a time more than there are layers, and once again at the end.

        All but the last two take the objects of a layer by ``send``. When that returns, ``get_kv``
        has that layer, rotated to the positions of this prompt, and nothing else; what was written
        to the layer before is on its way to the cache, where it is for what is computed next.
        Tokens between chunks are zero until they are written to. ``slot_mapping`` and
        ``vllm_cached_tokens`` are those of the paged connector, and so is what is raised; and
        ValueError for objects that do not know at which positions they were computed.
        """
        mapping = self._mapping(kwargs)
        cached = kwargs.get("vllm_cached_tokens", 0)
        prompt = Prompt(mapping, starts, ends, self._views[0], cached)
        buffers = [prompt.buffer(self.hidden_dim_size) for _ in range(2)]
        free = [torch.hpu.current_stream().record_event()] * 2
        under_way: list[Layer] = []
        try:
            for layer in range(self.num_layers + 2):
                if layer > 1:
                    prompt.scatter(self.buffer_mapping.pop(layer - 2), self._groups[layer - 2])
                    free[layer % 2] = torch.hpu.current_stream().record_event()
                if 0 < layer <= self.num_layers:
                    buffer = buffers[(layer - 1) % 2]
                    torch.hpu.current_stream().wait_event(under_way[-1].done)
                    prompt.rotate(buffer, self._rotary)
                    self.buffer_mapping[layer - 1] = buffer
                if layer < self.num_layers:
                    memory_objs = yield
                    check_format(memory_objs, MemoryFormat.KV_2TD)
                    if layer == 0:
                        prompt.know_positions(memory_objs)
                    self.load_stream.wait_event(free[layer % 2])
                    buffer, group = buffers[layer % 2], self._groups[layer]
                    fill = partial(prompt.fill, buffer, memory_objs, group)
                    under_way.append(self._in_flight.launch(self.load_stream, fill, memory_objs))
                elif layer == self.num_layers:
                    yield
        finally:
            self.buffer_mapping.clear()
            self._in_flight.land(under_way)
        yield

    def batched_from_gpu(
        self,
        memory_objs: list[list[MemoryObj]],
        starts: list[int],
        ends: list[int],
        **kwargs: Any,
    ) -> Generator[None, None, None]:
        """Store ``memory_objs``, a list for each layer, as the paged connector does.

        They take down their positions, on the CPU.
        """
        plan = self._plan(starts, ends, kwargs, writes=False)
        for of_layer in memory_objs:
            for start, end, memory_obj in zip(starts, ends, of_layer, strict=True):
                memory_obj.metadata.cached_positions = torch.arange(start, end)
        yield from self._store_layers(plan, memory_objs)
        yield

    def _rotary(self) -> Any:
        """The blender's rotation of keys, in place: (old positions, new positions, keys [T, D])."""
        if self.fused_rotary_emb is None:
            from lmcache.integration.vllm.utils import ENGINE_NAME  # noqa: PLC0415
            from lmcache.v1.compute.blend.utils import LMCBlenderBuilder  # noqa: PLC0415

            model = LMCBlenderBuilder.get(ENGINE_NAME).layerwise_model
            self.fused_rotary_emb = model.fused_rotary_emb
        if self.fused_rotary_emb is None:
            raise ValueError("LMCache's blender does not support the positions of this model")
        return self.fused_rotary_emb

    def _grouped(self, views: list[LayerView]) -> list[Group]:
        if any(view.is_mla for view in views):
            raise ValueError("enable_blending has no connector for MLA; set it to False")
        Group.of(views)  # raises for layers that one plan does not hold for
        return [Group.of([view]) for view in views]
