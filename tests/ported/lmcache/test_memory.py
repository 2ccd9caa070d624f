"""hpu/memory: allocation by address, and copies between addresses and tensors."""

from __future__ import annotations

import ctypes
import mmap
import os
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

H2D, D2H = 0, 1


def written(address: int, size: int) -> torch.Tensor:
    """The memory as upstream wraps it."""
    return torch.frombuffer((ctypes.c_uint8 * size).from_address(address), dtype=torch.uint8)


@pytest.mark.parametrize("kind", ["pinned", "pinned_numa", "numa"])
def test_memory_is_by_page_zero_and_one_tensor(hpu, kind):
    memory = hpu("memory")
    size = 3 * mmap.PAGESIZE + 5
    address = getattr(memory, f"alloc_{kind}_ptr")(size, 0)
    assert address % mmap.PAGESIZE == 0
    assert not written(address, size).any()
    written(address, size)[-1] = 7
    assert memory.tensor_at(address, size)[-1] == 7
    assert memory.tensor_at(address + size - 1, 1).item() == 7
    for wrong in (address - 1, address + size):
        with pytest.raises(ValueError, match="Gaudi's copies need a tensor"):
            memory.tensor_at(wrong, 1)
    with pytest.raises(ValueError, match="are not host memory of this module"):
        memory.tensor_at(address, size + 1)
    free = getattr(memory, f"free_{kind}_ptr")
    free(address) if kind == "pinned" else free(address, size)
    with pytest.raises(ValueError, match="are not host memory of this module"):
        memory.tensor_at(address, 1)
    free(address) if kind == "pinned" else free(address, size)


@pytest.mark.parametrize("kind", ["hugepage_pinned", "hugepage_pinned_numa"])
def test_huge_pages_are_not_promised(hpu, kind):
    memory = hpu("memory")
    with pytest.warns(RuntimeWarning, match="huge pages"):
        address = getattr(memory, f"alloc_{kind}_ptr")(100, 0)
    assert not memory.tensor_at(address, 100).any()
    getattr(memory, f"free_{kind}_ptr")(address, 100)


def test_shared_memory_is_found_by_its_name(hpu):
    memory = hpu("memory")
    name = f"porter-test-{os.getpid()}"
    file = Path("/dev/shm", name)
    file.write_bytes(b"left by a process that died")
    address = memory.alloc_shm_pinned_ptr(100, f"/{name}")
    try:
        assert file.stat().st_size == 100
        assert file.stat().st_mode & 0o077 == 0
        assert file.read_bytes() == bytes(100)
        written(address, 100).fill_(9)
        assert file.read_bytes() == b"\x09" * 100
        assert memory.tensor_at(address, 100).sum() == 900
    finally:
        memory.free_shm_pinned_ptr(address, 100, f"/{name}")
    assert not file.exists()
    with pytest.raises(ValueError, match="needs a name"):
        memory.alloc_shm_pinned_ptr(100)


def test_copies_between_tensors_and_addresses(hpu):
    memory = hpu("memory")
    source = torch.randn(4, 8, generator=torch.Generator().manual_seed(1)).to(torch.bfloat16)
    address = memory.alloc_pinned_ptr(200, 0)
    memory.lmcache_memcpy_async(address + 16, source, 40, D2H, 16, 64)
    assert torch.equal(written(address + 16, 40), source.view(-1).view(torch.uint8)[:40])
    assert not written(address + 56, 144).any()
    target = torch.zeros_like(source)
    memory.lmcache_memcpy_async(target, address + 16, 40, H2D, 16, 64)
    assert torch.equal(target.view(-1)[:20], source.view(-1)[:20])
    assert not target.view(-1)[20:].any()
    memory.free_pinned_ptr(address)


@pytest.mark.parametrize("alignment", [0, -2, 48])
def test_what_cannot_be_copied_is_refused(hpu, alignment):
    copy = hpu("memory").lmcache_memcpy_async
    tensor = torch.zeros(8)
    with pytest.raises(ValueError, match="power of two"):
        copy(tensor, tensor, 8, H2D, 0, alignment)
    with pytest.raises(ValueError, match="TransferDirection"):
        copy(tensor, tensor, 8, 2, 0, 64)
    with pytest.raises(ValueError, match="Gaudi's copies need a tensor"):
        copy(tensor.data_ptr(), tensor, 8, H2D, 0, 64)


def test_many_ranges_of_any_host_memory(hpu):
    batched_memcpy = hpu("memory").batched_memcpy
    source, target = torch.arange(10, dtype=torch.uint8), torch.zeros(10, dtype=torch.uint8)
    first, second = source.data_ptr(), target.data_ptr()
    batched_memcpy([first, first + 8, first], [second + 1, second + 9, second], [3, 1, 0])
    assert target.tolist() == [0, 0, 1, 2, 0, 0, 0, 0, 0, 8]
    with pytest.raises(ValueError, match="1 sources, 2 destinations and 1 sizes"):
        batched_memcpy([first], [second, second], [1])
