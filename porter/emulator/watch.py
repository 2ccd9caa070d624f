"""What the native half can't see: reads without an op, addresses, and questions about CUDA."""

from __future__ import annotations

import contextlib
import copy
import functools
import pickle
import runpy
import sys
import sysconfig
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

PROBES = (
    "is_available",
    "device_count",
    "current_device",
    "is_initialized",
    "is_bf16_supported",
    "get_device_name",
    "get_device_capability",
    "get_device_properties",
    "get_arch_list",
    "mem_get_info",
    "memory_allocated",
    "max_memory_allocated",
    "memory_reserved",
    "max_memory_reserved",
    "memory_stats",
    "empty_cache",
    "manual_seed",
    "manual_seed_all",
    "seed",
    "seed_all",
    "get_rng_state_all",
)
_EMULATOR = str(Path(__file__).resolve().parent)
_STANDARD = tuple(f"{sysconfig.get_path(name)}/" for name in ("stdlib", "platstdlib"))
# By name: an environment may have several, some of them of another environment.
_INSTALLED = {"site-packages", "dist-packages"}


def watch(device: ModuleType) -> None:
    """Put the hooks in place, once: on tensors, storages and ``torch.cuda``."""
    import torch  # noqa: PLC0415

    _pass_over(device, torch)
    tensor = torch.Tensor
    for name in ("numpy", "tolist", "__reduce_ex__"):
        setattr(tensor, name, _host_read(device, getattr(tensor, name), f"Tensor.{name}"))
    tensor.data_ptr = _address(device, tensor.data_ptr, "Tensor.data_ptr")
    storage = torch.UntypedStorage
    storage.data_ptr = _storage_address(device, storage.data_ptr)
    for name in PROBES:
        setattr(torch.cuda, name, _probe(device, getattr(torch.cuda, name), f"torch.cuda.{name}"))
    # Of what raises, the most goes through the first.
    for name in ("_lazy_init", "_exchange_device", "set_device"):
        setattr(torch.cuda, name, _call(device, getattr(torch.cuda, name)))
    for kind in (torch.cuda.Stream, torch.cuda.Event):
        kind.__new__ = staticmethod(_call(device, kind.__new__))


def _pass_over(device: ModuleType, torch: Any) -> None:
    """A report names a line of the program: not one of torch, of ours, or of a small helper."""
    folders = [f"{Path(torch.__file__).parent}/", f"{_EMULATOR}/"]
    import typing_extensions  # noqa: PLC0415 - torch brings it, and decorates with it

    helpers = [contextlib, copy, functools, pickle, runpy, threading, typing_extensions]
    for place in [*folders, *(str(module.__file__) for module in helpers)]:
        device.pass_over(place)


def _host_read(device: ModuleType, read: Callable[..., Any], name: str) -> Callable[..., Any]:
    @functools.wraps(read)
    def watched(self: Any, *args: Any, **kwargs: Any) -> Any:
        if device.anything_in_flight() and type(self).__name__ in ("Tensor", "Parameter"):
            device.host_reads(self, name)
        return read(self, *args, **kwargs)

    return watched


def _address(device: ModuleType, take: Callable[..., int], name: str) -> Callable[..., int]:
    @functools.wraps(take)
    def watched(self: Any) -> int:
        if self.device.type == "hpu":
            device.address_taken(self, name)
        return take(self)

    return watched


def _storage_address(device: ModuleType, take: Callable[..., int]) -> Callable[..., int]:
    import torch  # noqa: PLC0415

    @functools.wraps(take)
    def watched(self: Any) -> int:
        if self.device.type == "hpu":
            over = torch.empty(0, dtype=torch.uint8, device="hpu").set_(self)
            device.address_taken(over, "UntypedStorage.data_ptr")
        return take(self)

    return watched


def _probe(device: ModuleType, ask: Callable[..., Any], name: str) -> Callable[..., Any]:
    message = f"{name}() answers for CUDA, and nothing says so; ask torch.hpu instead"

    @functools.wraps(ask)
    def watched(*args: Any, **kwargs: Any) -> Any:
        if not _of_torch(sys._getframe(1).f_code.co_filename):
            _tell(device, "cuda-probe", name, message)
        return ask(*args, **kwargs)

    return watched


def _call(device: ModuleType, call: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(call)
    def watched(*args: Any, **kwargs: Any) -> Any:
        message = "a call of CUDA, which raises where there is none; call its counterpart of HPU"
        _tell(device, "cuda-call", "torch.cuda", message)
        return call(*args, **kwargs)

    return watched


def _tell(device: ModuleType, rule: str, op: str, message: str) -> None:
    """A fault of the program; in an installed package, a place that wants a look."""
    file, _ = device.current_place()
    say = device.note if not file or _of_a_library(file) else device.report
    say(rule, op, message)


@functools.cache
def _of_a_library(file: str) -> bool:
    return file.startswith(_STANDARD) or not _INSTALLED.isdisjoint(Path(file).parts)


@functools.cache
def _of_torch(file: str) -> bool:
    return file.startswith(
        (f"{Path(sys.modules['torch'].__file__ or '').parent}/", f"{_EMULATOR}/")
    )
