"""The operations of upstream's CUDA extension, under the same names.

Shapes: L layers, T tokens, D = heads * head size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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


@pending
def lmcache_memcpy_async(
    dst: int,
    src: int,
    nbytes: int,
    direction: TransferDirection,
    host_offset: int,
    alignment: int,
) -> None:
    """Copy bytes between host and device, split where the host's pinned chunks end."""


@pending
def batched_memcpy(src_ptrs: list[int], dst_ptrs: list[int], sizes: list[int]) -> None:
    """Copy many ranges of host memory; sizes in bytes."""


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


@pending
def direct_copy_format_supported(layout: EngineKVFormat) -> None:
    """Whether caches of this layout can be copied without a staging buffer."""


@pending
def batch_memcpy_supported() -> None:
    """Whether the driver copies many ranges by one call."""


# Positions.


@pending
def rotary_embedding_k_fused(
    old_positions: Tensor,
    new_positions: Tensor,
    key: Tensor,
    head_size: int,
    cos_sin_cache: Tensor,
    is_neox: bool,
) -> None:
    """Rotate ``key`` [T, NH, HS] in place from the positions [T] it has to new ones [T].

    ``cos_sin_cache`` is [positions, HS]. Every step rounds to the dtype of ``key``.
    """


@pending
def rotary_embedding_k_fused_strided(*args: Any) -> None:
    """The same for keys that do not lie side by side."""


# Compression by CacheGen: N channels, B bins.


@pending
def calculate_cdf(input_tensor: Tensor, num_bins: int) -> None:
    """The distribution of the symbols of each channel: [L, T, N] to int16 [L, N, B + 1]."""


@pending
def encode_fast_new(
    cdf: Tensor, input_sym: Tensor, output_buffer: Tensor, output_lengths: Tensor
) -> None:
    """Code symbols [L, T, N] into bytes [L, N, buffer], and how many bytes each took [L, N]."""


@pending
def decode_fast_new(cdf: Tensor, bytestreams: Tensor, lengths: Tensor, output: Tensor) -> None:
    """Decode the bytes of every channel into symbols [L, T, N]."""


@pending
def decode_fast_prefsum(
    cdf: Tensor, bytestreams: Tensor, lengths_prefsum: Tensor, output: Tensor
) -> None:
    """The same where all bytes lie in one row, and the sums of the lengths say where."""


# Host memory that the device can reach; addresses are integers, sizes are in bytes.


@pending
def alloc_pinned_ptr(size: int, device_id: int = 0) -> None:
    """The address of pinned memory."""


@pending
def free_pinned_ptr(ptr: int) -> None:
    """Give back what ``alloc_pinned_ptr`` gave."""


@pending
def alloc_pinned_numa_ptr(size: int, numa_id: int = 0) -> None:
    """The address of pinned memory on one NUMA node."""


@pending
def free_pinned_numa_ptr(ptr: int, size: int) -> None:
    """Give back what ``alloc_pinned_numa_ptr`` gave."""


@pending
def alloc_hugepage_pinned_ptr(size: int, device_id: int = 0) -> None:
    """The address of pinned memory in huge pages."""


@pending
def free_hugepage_pinned_ptr(ptr: int, size: int = 0) -> None:
    """Give back what ``alloc_hugepage_pinned_ptr`` gave."""


@pending
def alloc_hugepage_pinned_numa_ptr(size: int, numa_id: int = 0) -> None:
    """The address of pinned memory in huge pages on one NUMA node."""


@pending
def free_hugepage_pinned_numa_ptr(ptr: int, size: int = 0) -> None:
    """Give back what ``alloc_hugepage_pinned_numa_ptr`` gave."""


@pending
def alloc_numa_ptr(size: int, numa_id: int = 0) -> None:
    """The address of pageable memory on one NUMA node."""


@pending
def free_numa_ptr(ptr: int, size: int) -> None:
    """Give back what ``alloc_numa_ptr`` gave."""


@pending
def alloc_shm_pinned_ptr(size: int, shm_name: str = "") -> None:
    """The address of pinned memory that other processes find by name."""


@pending
def free_shm_pinned_ptr(ptr: int, size: int = 0, shm_name: str = "") -> None:
    """Give back what ``alloc_shm_pinned_ptr`` gave."""


# What the device and its streams tell.


@pending
def get_gpu_pci_bus_id(device_id: int) -> None:
    """The PCI address of a device, as text."""


@pending
def record_event_on_stream(*event: Any) -> None:
    """Note an event once the work before it on a stream is done."""


@pending
def drain_recorded_events() -> None:
    """The events noted since the last call."""


@pending
def record_completion_on_stream(stream: int, kind: Any, payload: bytes) -> None:
    """Note that a transfer is complete once the work before it on a stream is done."""


@pending
def drain_recorded_completions() -> None:
    """The completions noted since the last call."""


@pending
def pop_completed_phase_timings() -> None:
    """How long the phases of finished plans took."""
