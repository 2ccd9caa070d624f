"""The operations of upstream's CUDA extension, under the same names.

Shapes: L layers, T tokens, D = heads * head size.
"""

from __future__ import annotations

from typing import Any

from lmcache.hpu.absent import (
    batch_memcpy_supported,
    direct_copy_format_supported,
    get_gpu_pci_bus_id,
    pop_completed_phase_timings,
)
from lmcache.hpu.cachegen import (
    calculate_cdf,
    decode_fast_new,
    decode_fast_prefsum,
    encode_fast_new,
)
from lmcache.hpu.layouts import (
    EngineKVFormat,
    GPUKVFormat,
    KernelGroupSpec,
    PageBufferShapeDesc,
    TransferDirection,
    is_cross_layer,
    is_kv_list,
    is_layer_list,
    is_mla,
)
from lmcache.hpu.memory import (
    alloc_hugepage_pinned_numa_ptr,
    alloc_hugepage_pinned_ptr,
    alloc_numa_ptr,
    alloc_pinned_numa_ptr,
    alloc_pinned_ptr,
    alloc_shm_pinned_ptr,
    batched_memcpy,
    free_hugepage_pinned_numa_ptr,
    free_hugepage_pinned_ptr,
    free_numa_ptr,
    free_pinned_numa_ptr,
    free_pinned_ptr,
    free_shm_pinned_ptr,
    lmcache_memcpy_async,
)
from lmcache.hpu.paged_ops import (
    load_and_reshape_flash,
    multi_layer_block_kv_transfer,
    multi_layer_kv_transfer,
    multi_layer_kv_transfer_unilateral,
    reshape_and_cache_back_flash,
    single_layer_kv_transfer,
    single_layer_kv_transfer_sgl,
)
from lmcache.hpu.pending import Pending, pending
from lmcache.hpu.recorded import (
    drain_recorded_completions,
    drain_recorded_events,
    record_completion_on_stream,
    record_event_on_stream,
)
from lmcache.hpu.rope import (
    rotary_embedding_k_fused,
    rotary_embedding_k_fused_strided,
)

__all__ = [
    "BatchStep",
    "CBGroupSpec",
    "DirectCopyGroupSpec",
    "DirectCopyObject",
    "EngineKVFormat",
    "GPUKVFormat",
    "KernelGroupSpec",
    "LaunchVar",
    "PageBufferShapeDesc",
    "StagingCopy",
    "TransferDirection",
    "alloc_hugepage_pinned_numa_ptr",
    "alloc_hugepage_pinned_ptr",
    "alloc_numa_ptr",
    "alloc_pinned_numa_ptr",
    "alloc_pinned_ptr",
    "alloc_shm_pinned_ptr",
    "batch_memcpy_supported",
    "batched_memcpy",
    "calculate_cdf",
    "decode_fast_new",
    "decode_fast_prefsum",
    "direct_copy_format_supported",
    "drain_recorded_completions",
    "drain_recorded_events",
    "encode_fast_new",
    "execute_cb_retrieve_plan_flat",
    "execute_direct_copy_transfer",
    "execute_object_group_transfer",
    "free_hugepage_pinned_numa_ptr",
    "free_hugepage_pinned_ptr",
    "free_numa_ptr",
    "free_pinned_numa_ptr",
    "free_pinned_ptr",
    "free_shm_pinned_ptr",
    "get_gpu_pci_bus_id",
    "is_cross_layer",
    "is_kv_list",
    "is_layer_list",
    "is_mla",
    "lmcache_memcpy_async",
    "load_and_reshape_flash",
    "multi_layer_block_kv_transfer",
    "multi_layer_kv_transfer",
    "multi_layer_kv_transfer_unilateral",
    "pop_completed_phase_timings",
    "record_completion_on_stream",
    "record_event_on_stream",
    "reshape_and_cache_back_flash",
    "rotary_embedding_k_fused",
    "rotary_embedding_k_fused_strided",
    "single_layer_kv_transfer",
    "single_layer_kv_transfer_sgl",
]


# Plans that upstream runs as a whole, from 0.5.1 on.


class StagingCopy(metaclass=Pending):
    """One copy between a host object and a staging buffer of the device."""


class LaunchVar(metaclass=Pending):
    """What one launch of a plan does not share with the others."""


class BatchStep(metaclass=Pending):
    """One step of a plan: copies, then launches."""


class CBGroupSpec(metaclass=Pending):
    """The layers of one group, for retrieving blended chunks."""


class DirectCopyGroupSpec(metaclass=Pending):
    """The layers of one group, for copies without a staging buffer."""


class DirectCopyObject(metaclass=Pending):
    """One host object of a copy without a staging buffer."""


@pending
def execute_object_group_transfer(*plan: Any) -> None:
    """Move groups of layers between host objects and the paged cache."""


@pending
def execute_direct_copy_transfer(*plan: Any) -> None:
    """The same without a staging buffer."""


@pending
def execute_cb_retrieve_plan_flat(*plan: Any) -> None:
    """Retrieve blended chunks: copy, move the positions of the keys, scatter."""
