"""Questions about CUDA: they get an answer on Gaudi, and it is no."""

from __future__ import annotations

import torch


class DeviceByProbe:
    """The whole program runs on the CPU, and nobody says so."""

    def bug(self) -> None:
        device = "cuda" if torch.cuda.is_available() else "cpu"  # here
        assert torch.ones(1, device=device).device.type == "cpu"

    def twin(self) -> None:
        device = "hpu" if torch.hpu.is_available() else "cpu"
        assert torch.ones(1, device=device).device.type == "hpu"


class KernelsByProbe:
    def bug(self) -> None:
        assert not self.fused_kernels()

    def fused_kernels(self) -> bool:
        return torch.cuda.device_count() > 0  # here

    def twin(self) -> None:
        assert torch.hpu.device_count() > 0


class MemoryThatIsAlwaysFree:
    """A cache that evicts when memory runs short never does."""

    def bug(self) -> None:
        torch.ones(1024, device="hpu")
        assert torch.cuda.memory_allocated() == 0  # here

    def twin(self) -> None:
        kept = torch.ones(1024, device="hpu")
        assert torch.hpu.memory_allocated() >= kept.nbytes


class SeedOfNothing:
    def bug(self) -> None:
        torch.cuda.manual_seed_all(7)  # here
        torch.rand(2, device="hpu")

    def twin(self) -> None:
        torch.manual_seed(7)
        torch.hpu.manual_seed_all(7)
        torch.rand(2, device="hpu")
