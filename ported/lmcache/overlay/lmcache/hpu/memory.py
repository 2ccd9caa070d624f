"""Host memory by address: pinned where the device can pin, pageable elsewhere.

Upstream passes addresses, and Gaudi's copies take tensors; so every allocation is a tensor
that is kept under its address until it is freed. Sizes are in bytes. Memory begins at a page,
is zero, and lies where the kernel puts it: NUMA nodes and huge pages are not chosen.
"""

from __future__ import annotations

import ctypes
import mmap
import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock

import torch
from lmcache.hpu.layouts import TransferDirection
from torch import Tensor

_SHARED = Path("/dev/shm")

_allocated: dict[int, Tensor] = {}
_guard = Lock()


def tensor_at(address: int, size: int) -> Tensor:
    """The bytes [size] at ``address``. Raises ValueError if they were not allocated here."""
    with _guard:
        for first, memory in _allocated.items():
            if first <= address and address + size <= first + len(memory):
                return memory[address - first : address - first + size]
    raise ValueError(
        f"{size} bytes at {address:#x} are not host memory of this module: "
        "Gaudi's copies need a tensor, an address will not do"
    )


def alloc_pinned_ptr(size: int, device_id: int = 0) -> int:
    """The address of pinned memory."""
    memory = _pinned(size + mmap.PAGESIZE)
    return _keep(memory[-memory.data_ptr() % mmap.PAGESIZE :][:size])


def free_pinned_ptr(ptr: int) -> None:
    """Give back what an ``alloc_`` gave; nothing if that was done before."""
    with _guard:
        _allocated.pop(ptr, None)


def alloc_pinned_numa_ptr(size: int, numa_id: int = 0) -> int:
    """The address of pinned memory, wherever it lies."""
    return alloc_pinned_ptr(size)


def free_pinned_numa_ptr(ptr: int, size: int = 0) -> None:
    free_pinned_ptr(ptr)


def alloc_numa_ptr(size: int, numa_id: int = 0) -> int:
    """The same: upstream pins this memory later, part by part, which Gaudi cannot."""
    return alloc_pinned_ptr(size)


def free_numa_ptr(ptr: int, size: int = 0) -> None:
    free_pinned_ptr(ptr)


def alloc_hugepage_pinned_ptr(size: int, device_id: int = 0) -> int:
    """The address of pinned memory in pages of the usual size, with a warning."""
    warnings.warn("huge pages were asked for: not on Gaudi", RuntimeWarning, stacklevel=2)
    return alloc_pinned_ptr(size)


def free_hugepage_pinned_ptr(ptr: int, size: int = 0) -> None:
    free_pinned_ptr(ptr)


def alloc_hugepage_pinned_numa_ptr(size: int, numa_id: int = 0) -> int:
    """The address of pinned memory in pages of the usual size, with a warning."""
    warnings.warn("huge pages were asked for: not on Gaudi", RuntimeWarning, stacklevel=2)
    return alloc_pinned_ptr(size)


def free_hugepage_pinned_numa_ptr(ptr: int, size: int = 0) -> None:
    free_pinned_ptr(ptr)


def alloc_shm_pinned_ptr(size: int, shm_name: str = "") -> int:
    """The address of memory that other processes find by name; pageable, as torch cannot pin it.

    What a process that died has left under the name is replaced.
    """
    if not (name := shm_name.lstrip("/")):
        raise ValueError("shared memory needs a name")
    path = _SHARED / name
    path.unlink(missing_ok=True)
    path.touch(mode=0o600, exist_ok=False)
    return _keep(torch.from_file(str(path), shared=True, size=size, dtype=torch.uint8))


def free_shm_pinned_ptr(ptr: int, size: int = 0, shm_name: str = "") -> None:
    """Give it back, and take its name away."""
    free_pinned_ptr(ptr)
    if name := shm_name.lstrip("/"):
        (_SHARED / name).unlink(missing_ok=True)


def lmcache_memcpy_async(
    dst: int | Tensor,
    src: int | Tensor,
    nbytes: int,
    direction: TransferDirection,
    host_offset: int,
    alignment: int,
) -> None:
    """Copy the first ``nbytes`` of ``src`` to ``dst``, without waiting for the device.

    Either is a tensor, or the address of host memory that was allocated here. Where the pinned
    chunks end, every ``alignment`` bytes from ``host_offset``, is of no matter to torch's copies.
    Raises ValueError for an alignment that is no power of two, or any other address.
    """
    if alignment < 1 or alignment & alignment - 1:
        raise ValueError(f"the alignment must be a power of two, not {alignment}")
    TransferDirection(direction)
    _bytes(dst, nbytes).copy_(_bytes(src, nbytes), non_blocking=True)


def batched_memcpy(src_ptrs: Sequence[int], dst_ptrs: Sequence[int], sizes: Sequence[int]) -> None:
    """Copy ranges of host memory, allocated here or anywhere. Raises ValueError if not paired."""
    if not len(src_ptrs) == len(dst_ptrs) == len(sizes):
        raise ValueError(
            f"{len(src_ptrs)} sources, {len(dst_ptrs)} destinations and {len(sizes)} sizes"
        )
    for src, dst, size in zip(src_ptrs, dst_ptrs, sizes, strict=True):
        if size > 0:
            ctypes.memmove(dst, src, size)


def _pinned(size: int) -> Tensor:
    """[size] zeros. Some releases of Gaudi's torch pin by the factory, some by the method."""
    with suppress(RuntimeError, TypeError, AssertionError):
        return torch.zeros(size, dtype=torch.uint8, pin_memory=True)
    memory = torch.zeros(size, dtype=torch.uint8)
    if hasattr(torch, "hpu"):
        with suppress(RuntimeError, TypeError, AssertionError):
            return memory.pin_memory("hpu")
    return memory


def _keep(memory: Tensor) -> int:
    address: int = memory.data_ptr()
    with _guard:
        _allocated[address] = memory
    return address


def _bytes(memory: int | Tensor, size: int) -> Tensor:
    if isinstance(memory, int):
        return tensor_at(memory, size)
    return memory.view(-1).view(torch.uint8)[:size]
