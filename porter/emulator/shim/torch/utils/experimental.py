"""What Gaudi code asks about the device, by the bridge's private names."""

from __future__ import annotations

import enum

import torch

from porter.emulator.build import load

_device = load()


class synDeviceType(enum.Enum):
    """By name: the numbers are not the bridge's."""

    synDeviceGaudi = enum.auto()
    synDeviceGaudi2 = enum.auto()
    synDeviceGaudi3 = enum.auto()


def _get_device_type() -> synDeviceType:
    return synDeviceType.synDeviceGaudi3


def _is_available() -> bool:
    return True


def _is_fp16_supported() -> bool:
    return True


def _compute_stream() -> int:
    return int(_device.default_stream())


def _data_ptr(t: torch.Tensor) -> int:
    """The address. By way of the host's view: callers put this in the place of Tensor.data_ptr."""
    return int(_address(_device.host_alias(t)))


_address = torch.Tensor.data_ptr
