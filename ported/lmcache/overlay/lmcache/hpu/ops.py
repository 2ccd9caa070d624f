"""The operations of upstream's CUDA extension, under the same names.

Shapes: L layers, T tokens, D = heads * head size, and P = blocks * block size
slots of the paged cache. ``slot_mapping`` [T] says in which slot each token
lies; one below zero is skipped: nothing is written into the cache, and out of it
the destination keeps its bytes. Transfers copy bits, whatever the dtype. Until
0.3.12 a direction was a bool, with the numbers of TransferDirection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lmcache.hpu.absent import (
    batch_memcpy_supported,
    direct_copy_format_supported,
    drain_recorded_completions,
    drain_recorded_events,
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
from lmcache.hpu.pending import Pending, pending
from lmcache.hpu.rope import (
    rotary_embedding_k_fused,
    rotary_embedding_k_fused_strided,
)

if TYPE_CHECKING:
    from torch import Tensor

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


# Between memory objects and the paged cache.


@pending
def multi_layer_kv_transfer(
    key_value: Tensor,
    key_value_ptrs: Tensor,
    slot_mapping: Tensor,
    paged_memory_device: Any,
    page_buffer_size: int,
    direction: TransferDirection | bool,
    *layout: Any,
) -> None:
    """Copy tokens of all layers between one memory object and the paged cache.

    ``key_value`` is [2, L, T, D], or [1, L, T, D] for MLA, in pinned host memory or
    on the device; ``key_value_ptrs`` [L] names one cache a layer, [2, P, D] as flat;
    ``page_buffer_size`` is P. ``layout`` is ``use_mla`` until 0.3.13, later the
    format, block and head size, and how many tokens of the prefix stay untouched.
    """


@pending
def multi_layer_kv_transfer_unilateral(
    key_value: Tensor,
    key_value_ptrs: Tensor,
    slot_mapping: Tensor,
    paged_memory_device: Any,
    page_buffer_size: int,
    direction: TransferDirection | bool,
    *layout: Any,
) -> None:
    """The same where keys and values are apart: ``key_value_ptrs`` [2 L], K of all, then V.

    Each cache is [P, D], which is the shape of Gaudi's.
    """


@pending
def single_layer_kv_transfer(
    lmc_key_value_cache: Tensor,
    vllm_key_value_cache: Tensor,
    slot_mapping: Tensor,
    direction: TransferDirection | bool,
    token_major: bool = False,
    *layout: Any,
) -> None:
    """Copy tokens of one layer; the memory object is [T, 2, D] if token major, else [2, T, D]."""


@pending
def single_layer_kv_transfer_sgl(
    lmc_key_value_cache: Tensor,
    sgl_key_cache: Tensor,
    sgl_value_cache: Tensor,
    slot_mapping: Tensor,
    direction: TransferDirection | bool,
    token_major: bool = False,
) -> None:
    """The same where the caches of keys and of values are apart, each [NB, BS, NH, HS]."""


@pending
def multi_layer_block_kv_transfer(
    paged_buffer_ptrs_tensor: Tensor,
    lmcache_objects_ptrs: list[int],
    block_ids: Tensor,
    device: Any,
    direction: TransferDirection,
    shape_desc: PageBufferShapeDesc,
    lmcache_chunk_size: int,
    engine_kv_format: EngineKVFormat,
    skip_prefix_n_blocks: int,
) -> None:
    """Copy whole blocks of all layers; a memory object holds ``lmcache_chunk_size`` tokens."""


@pending
def load_and_reshape_flash(
    key_value: Tensor, key_cache: Tensor, value_cache: Tensor, slot_mapping: Tensor, layer: int
) -> None:
    """Copy one layer out of caches [NB, BS, NH, HS] into ``key_value`` [2, L, T, D]."""


@pending
def reshape_and_cache_back_flash(
    key_value: Tensor, key_cache: Tensor, value_cache: Tensor, slot_mapping: Tensor, layer: int
) -> None:
    """Copy one layer of ``key_value`` [2, L, T, D] into caches [NB, BS, NH, HS]."""


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


# Notes on streams, for the plans above.


@pending
def record_event_on_stream(*event: Any) -> None:
    """Note an event once the work before it on a stream is done."""


@pending
def record_completion_on_stream(stream: int, kind: Any, payload: bytes) -> None:
    """Note that a transfer is complete once the work before it on a stream is done."""
