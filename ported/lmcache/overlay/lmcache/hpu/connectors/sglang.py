"""Whole batches between memory objects and SGLang's cache."""

from __future__ import annotations

from typing import Any

from lmcache.hpu.connectors.base import KVCaches
from lmcache.hpu.connectors.paged import VLLMPagedMemHPUConnectorV2
from lmcache.hpu.kv_views import LayerView, flat_view
from lmcache.v1.memory_management import MemoryObj
from torch import Tensor


class SGLangHPUConnector(VLLMPagedMemHPUConnectorV2):
    """A cache is [slots, NH, HS], and all slots are live.

    ``kvcaches`` are those of the keys of all layers and then of their values, in one list or in
    two; with MLA one a layer.
    """

    def batched_to_gpu(
        self, memory_objs: list[MemoryObj], starts: list[int], ends: list[int], **kwargs: Any
    ) -> None:
        """As for vLLM; ``slot_mapping`` begins with the token ``offset``."""
        offset = kwargs.get("offset", 0)
        begins, ends = ([token - offset for token in tokens] for tokens in (starts, ends))
        super().batched_to_gpu(memory_objs, begins, ends, **kwargs)

    def _viewed(self, caches: KVCaches) -> list[LayerView]:
        flat = [cache.flatten(1) for cache in _in_one_list(caches)]
        values = [None] * len(flat)
        if not self.use_mla:
            flat, values = flat[: len(flat) // 2], flat[len(flat) // 2 :]
        if len(flat) != self.num_layers:
            raise ValueError(f"{len(flat)} layers of caches, where there are {self.num_layers}")
        return [flat_view(key, value) for key, value in zip(flat, values, strict=True)]


def _in_one_list(caches: KVCaches) -> list[Tensor]:
    return [
        tensor for cache in caches for tensor in ([cache] if isinstance(cache, Tensor) else cache)
    ]
