"""What the overlay's operations do with tensors on the device: OVERLAY."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import habana_frameworks.torch.core  # noqa: F401  as every program on Gaudi does
import torch

H2D, D2H = 0, 1


def rotate(rope: ModuleType) -> None:
    angles = torch.rand(32, 4, generator=torch.Generator().manual_seed(1))
    cos_sin = torch.cat((angles.cos(), angles.sin()), -1).to(torch.bfloat16)
    device_table = cos_sin.to("hpu")
    for seed in range(4):
        generator = torch.Generator().manual_seed(seed)
        key = torch.randn(16, 2, 8, generator=generator).to(torch.bfloat16)
        old, new = torch.randint(32, (2, 16), generator=generator)
        on_device = key.to("hpu")
        rope.rotary_embedding_k_fused(
            old.to("hpu"), new.to("hpu"), on_device, 8, device_table, seed % 2 == 0
        )
        rope.rotary_embedding_k_fused(old, new, key, 8, cos_sin, seed % 2 == 0)
        assert torch.equal(on_device.cpu(), key)


def code(cachegen: ModuleType) -> None:
    symbols = (torch.rand(2, 64, 3, generator=torch.Generator().manual_seed(1)) * 8).to(torch.int8)
    on_device = symbols.to("hpu")
    cdf = cachegen.calculate_cdf(on_device, 8)
    assert cdf.device.type == "hpu"
    buffer = torch.zeros(2, 3, 64, dtype=torch.uint8, device="hpu")
    lengths = torch.zeros(2, 3, dtype=torch.int32, device="hpu")
    cachegen.encode_fast_new(cdf, on_device, buffer, lengths)
    decoded = torch.zeros(2, 64, 3, dtype=torch.uint8, device="hpu")
    cachegen.decode_fast_new(cdf, buffer, lengths, decoded)
    assert torch.equal(decoded.cpu(), symbols.to(torch.uint8))


def copy(memory: ModuleType) -> None:
    size = 4096
    address = memory.alloc_pinned_ptr(2 * size, 0)
    host = memory.tensor_at(address, 2 * size)
    assert host.is_pinned()
    host[:size].copy_(torch.arange(size, dtype=torch.int32).to(torch.uint8))
    on_device = torch.zeros(size // 2, dtype=torch.bfloat16, device="hpu")
    memory.lmcache_memcpy_async(on_device, address, size, H2D, 0, size)
    memory.lmcache_memcpy_async(address + size, on_device, size, D2H, size, size)
    torch.hpu.synchronize()
    assert torch.equal(host[:size], host[size:])
    memory.free_pinned_ptr(address)


def main(overlay: str) -> None:
    package = ModuleType("lmcache")
    package.__path__ = [str(Path(overlay) / "lmcache")]
    sys.modules["lmcache"] = package
    rotate(importlib.import_module("lmcache.hpu.rope"))
    code(importlib.import_module("lmcache.hpu.cachegen"))
    copy(importlib.import_module("lmcache.hpu.memory"))


if __name__ == "__main__":
    main(*sys.argv[1:])
