"""Switches of the graph compiler, which is not here: they change no result."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_SYNC_MODE = "PT_ENABLE_HABANA_STREAMASYNC"
_state = {"deterministic": False, "dynamic_shape": False, "recompute_sdp": True}


def enable_dynamic_shape() -> None:
    _state["dynamic_shape"] = True


def disable_dynamic_shape() -> None:
    _state["dynamic_shape"] = False


def get_dynamic_shape_status() -> bool:
    return _state["dynamic_shape"]


def setDeterministic(val: bool) -> None:
    _state["deterministic"] = bool(val)


def getDeterministic() -> bool:
    return _state["deterministic"]


def enable_recompute_sdp(enabled: bool) -> None:
    _state["recompute_sdp"] = bool(enabled)


def recompute_sdp_enabled() -> bool:
    return _state["recompute_sdp"]


@contextmanager
def sdp_kernel(enable_recompute: bool = True) -> Iterator[None]:
    previous = recompute_sdp_enabled()
    enable_recompute_sdp(enable_recompute)
    try:
        yield
    finally:
        enable_recompute_sdp(previous)


def get_sync_debug_mode() -> int:
    """Raises KeyError where it was never set, and ValueError for what ``set`` stores: as Gaudi."""
    return int(os.environ[_SYNC_MODE])


def set_sync_debug_mode(debug_mode: Any) -> None:
    os.environ[_SYNC_MODE] = str(debug_mode)


def enable_const_section_serialization(
    path: str, clear_path: bool, use_compression: bool
) -> None: ...


def disable_const_section_serialization() -> None: ...


def enable_inference_mode() -> None: ...


def disable_inference_mode() -> None: ...


def enable_matmul3d_2d_reshape() -> None: ...


def disable_matmul3d_2d_reshape() -> None: ...


def enable_optim_output_sif() -> None: ...


def disable_optim_output_sif() -> None: ...


def enable_quantization() -> None: ...


def disable_quantization() -> None: ...
