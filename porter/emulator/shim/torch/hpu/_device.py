"""The card: there is one, and this process has it."""

from __future__ import annotations

import os
from typing import Any

import torch

from porter.emulator.build import load

from ._utils import _get_device_index
from .memory import mem_get_info, memory_allocated

_device = load()
_NAME = "GAUDI3"
_DRIVER = "1.19.0"
_started = False


def existing_index(device: Any) -> int:
    """As ``_get_device_index``; raises AssertionError for a card that the process has not."""
    index = _get_device_index(device, optional=True)
    assert index == 0, f"no device hpu:{index}: one process has one card, hpu:0"
    return index


def init() -> None:
    global _started  # noqa: PLW0603
    _started = True


def _lazy_init() -> None:
    init()


def _is_in_bad_fork() -> bool:
    return False


def is_initialized() -> bool:
    return _started


def is_available() -> bool:
    return True


def device_count() -> int:
    return 1


def current_device() -> int:
    init()
    return 0


def set_device(device: Any) -> None:
    """Choose the module id that the process will take. AssertionError for one it may not have."""
    index = _get_device_index(device, optional=True)
    modules = os.environ.get("HABANA_VISIBLE_MODULES", "0").split(",")
    assert 0 <= index < len(modules), f"no device hpu:{index}: one process has one card, hpu:0"
    os.environ["HLS_MODULE_ID"] = modules[index]


def synchronize() -> None:
    """Wait for the device. It takes no argument: neither does Gaudi's."""
    _device.synchronize("synchronize")


def get_device_name(device: Any = None) -> str:
    existing_index(device)
    return _NAME


def get_device_capability(device: Any = None) -> str:
    """The version of the driver, a string."""
    existing_index(device)
    return _DRIVER


def get_device_properties(device: Any = None) -> str:
    """Text for people; it has no attributes such as ``total_memory``."""
    existing_index(device)
    return f"(name={_NAME}, dramSize={mem_get_info()[1]})"


def get_arch_list() -> list[str]:
    return [_NAME]


def get_gencode_flags() -> str:
    return ""


def can_device_access_peer(device: Any, peer_device: Any) -> bool:
    """Raises AssertionError: with one card there is no pair."""
    assert existing_index(device) != existing_index(peer_device), "a card is no peer of itself"
    return True


def is_bf16_supported() -> bool:
    return is_available()


def memory_usage(device: Any = None) -> int:
    """Bytes in use, where CUDA's is a share of time."""
    existing_index(device)
    return memory_allocated()


def get_autocast_hpu_dtype() -> torch.dtype:
    return torch.get_autocast_dtype("hpu")


def set_autocast_hpu_dtype(dtype: torch.dtype) -> None:
    torch.set_autocast_dtype("hpu", dtype)


def is_autocast_hpu_enabled() -> bool:
    return torch.is_autocast_enabled("hpu")


def set_autocast_hpu_enabled(enabled: bool) -> None:
    torch.set_autocast_enabled("hpu", enabled)


class device:
    """A context that changes nothing. AssertionError for another card than the process has."""

    def __init__(self, device: Any) -> None:
        index = _get_device_index(device, optional=True)
        own = (0, int(os.environ.get("HLS_MODULE_ID", "0")))
        assert index in own, f"no device hpu:{index}: one process has one card, hpu:0"
        self.idx = 0

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


class device_of(device):
    """The device of a tensor."""

    def __init__(self, obj: Any) -> None:
        super().__init__(obj.get_device() if obj.is_hpu else None)
