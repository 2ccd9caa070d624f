"""One operand was left on the CPU."""

from __future__ import annotations

import torch
from torch import nn


class MaskOnTheCpu:
    raises = RuntimeError

    def bug(self) -> None:
        scores = torch.ones(2, 3, device="hpu")
        mask = torch.tensor([True, False, False])
        scores.masked_fill(mask, 0)  # here

    def twin(self) -> None:
        scores = torch.ones(2, 3, device="hpu")
        mask = torch.tensor([True, False, False], device="hpu")
        assert scores.masked_fill(mask, 0).sum().item() == 4


class SlotsOnTheCpu:
    """index_copy_ wants its index on the device; indexing by brackets does not."""

    raises = RuntimeError

    def bug(self) -> None:
        cache = torch.zeros(8, 2, device="hpu")
        slots = torch.tensor([5, 3])
        cache.index_copy_(0, slots, torch.ones(2, 2, device="hpu"))  # here

    def twin(self) -> None:
        cache = torch.zeros(8, 2, device="hpu")
        slots = torch.tensor([5, 3])
        cache[slots] = torch.ones(2, 2, device="hpu")
        assert cache.sum().item() == 4


class ModuleNotMoved:
    raises = RuntimeError

    def bug(self) -> None:
        head = nn.Linear(4, 2)
        head(torch.ones(1, 4, device="hpu"))  # here

    def twin(self) -> None:
        head = nn.Linear(4, 2).to("hpu")
        head(torch.ones(1, 4, device="hpu"))


class BufferNotRegistered:
    """A plain attribute stays behind when the module moves."""

    raises = RuntimeError

    class Scaled(nn.Module):
        def __init__(self, registered: bool) -> None:
            super().__init__()
            if registered:
                self.register_buffer("scale", torch.ones(4))
            else:
                self.scale = torch.ones(4)

        def forward(self, hidden: torch.Tensor) -> torch.Tensor:
            return hidden * self.scale  # here

    def bug(self) -> None:
        self.Scaled(registered=False).to("hpu")(torch.ones(4, device="hpu"))

    def twin(self) -> None:
        self.Scaled(registered=True).to("hpu")(torch.ones(4, device="hpu"))


class ScaleOfOneElement:
    """A number may stay on the CPU; a tensor of one element is none."""

    raises = RuntimeError

    def bug(self) -> None:
        torch.ones(4, device="hpu") * torch.tensor([0.5])  # here

    def twin(self) -> None:
        assert (torch.ones(4, device="hpu") * torch.tensor(0.5)).sum().item() == 2


class PartsOfBoth:
    raises = RuntimeError

    def bug(self) -> None:
        cached, fresh = torch.zeros(2, 4), torch.ones(1, 4, device="hpu")
        torch.cat([cached, fresh])  # here

    def twin(self) -> None:
        cached, fresh = torch.zeros(2, 4), torch.ones(1, 4, device="hpu")
        assert torch.cat([cached.to(fresh.device), fresh]).shape == (3, 4)
