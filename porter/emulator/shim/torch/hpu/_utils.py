"""Which card a device argument means: one process has one card."""

from __future__ import annotations

from typing import Any

import torch


def _get_device_index(device: Any, optional: bool = False, allow_cpu: bool = False) -> int:
    """The index of ``device``: an int, a string, a ``torch.device`` or (``optional``) None.

    -1 is the host, where ``allow_cpu``. Raises ValueError for any other device.
    """
    if isinstance(device, str):
        device = torch.device(device)
    if isinstance(device, torch.device):
        if allow_cpu and device.type == "cpu":
            return -1
        if device.type != "hpu":
            raise ValueError(f"expected an hpu device, not {device}")
        device = device.index
        optional = True
    if device is None and optional:
        return 0
    if isinstance(device, int):
        return device
    raise ValueError(f"expected an hpu device or its index, not {device!r}")
