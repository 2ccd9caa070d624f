"""Slot mappings stay on the CPU, where the blocks and rows of a transfer are worked out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor


class HostTensor(Tensor):
    """A tensor of the CPU that stays there when it is sent to hpu.

    Upstream's adapter sends each slot mapping, and what reads it here would fetch it back: a copy
    and a wait for every request.
    """

    def to(self, *arguments: Any, **more: Any) -> Tensor:
        target = more.get("device", arguments[0] if arguments else None)
        if isinstance(target, str | torch.device) and torch.device(target).type == "hpu":
            return self
        return super().to(*arguments, **more)


def keep_on_host(requests: Iterable[Any]) -> None:
    """For each request of a step; those that have no slots are left alone."""
    for request in requests:
        if isinstance(request.slot_mapping, Tensor):
            request.slot_mapping = request.slot_mapping.as_subclass(HostTensor)
