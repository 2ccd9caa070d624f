"""What the bridge adds to torch: ``Tensor.hpu``, ``is_hpu``, ``Module.hpu``, seeds for HPU."""

from __future__ import annotations

from functools import wraps
from typing import Any

import torch

from ..hpu._device import existing_index
from ..hpu.random import manual_seed_all


def overwrite() -> None:
    torch.Tensor.hpu = _tensor_hpu
    torch.Tensor.is_hpu = property(_is_hpu)
    torch.nn.Module.hpu = _module_hpu
    torch.manual_seed = torch.random.manual_seed = _seeds_hpu(torch.random.manual_seed)


def _tensor_hpu(
    self: torch.Tensor, device: Any = None, non_blocking: bool = False, **kwargs: Any
) -> torch.Tensor:
    return self.to(_own(device), non_blocking=non_blocking, **kwargs)


def _module_hpu(self: torch.nn.Module, device: Any = None) -> torch.nn.Module:
    return self.to(_own(device))


def _is_hpu(self: torch.Tensor) -> bool:
    return self.device.type == "hpu"


def _own(device: Any) -> torch.device:
    return torch.device("hpu", existing_index(device))


def _seeds_hpu(manual_seed: Any) -> Any:
    @wraps(manual_seed)
    def seeded(seed: Any) -> Any:
        manual_seed_all(seed)
        return manual_seed(seed)

    return seeded
