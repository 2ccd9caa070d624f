"""What is allocated on the device. Bytes are those asked for; the bridge rounds and pools."""

from __future__ import annotations

import warnings
from typing import Any

from porter.emulator.build import load

_device = load()
_forgotten = {"allocations": 0, "frees": 0}


def memory_stats(device: Any = None) -> dict[str, int]:
    """By the bridge's own keys, not by those of CUDA."""
    stats = _device.memory_stats()
    return {
        "Limit": stats["limit"],
        "InUse": stats["allocated"],
        "MaxInUse": stats["peak"],
        "NumAllocs": stats["allocations"] - _forgotten["allocations"],
        "NumFrees": stats["frees"] - _forgotten["frees"],
        "ActiveAllocs": stats["allocations"] - stats["frees"],
    }


def memory_summary(device: Any = None) -> str:
    return "\n".join(f"{key}: {value}" for key, value in memory_stats().items())


def memory_allocated(device: Any = None) -> int:
    return memory_stats()["InUse"]


def max_memory_allocated(device: Any = None) -> int:
    return memory_stats()["MaxInUse"]


def memory_reserved(device: Any = None) -> int:
    """The size of the pool, which is all the memory there is."""
    return memory_stats()["Limit"]


def max_memory_reserved(device: Any = None) -> int:
    return memory_reserved()


def memory_cached(device: Any = None) -> int:
    warnings.warn("memory_cached is memory_reserved now", FutureWarning, stacklevel=2)
    return memory_reserved()


def max_memory_cached(device: Any = None) -> int:
    warnings.warn("max_memory_cached is max_memory_reserved now", FutureWarning, stacklevel=2)
    return max_memory_reserved()


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """Free and total bytes."""
    stats = memory_stats()
    return stats["Limit"] - stats["InUse"], stats["Limit"]


def reset_peak_memory_stats(device: Any = None) -> None:
    _device.reset_peak_memory()


def reset_accumulated_memory_stats(device: Any = None) -> None:
    stats = _device.memory_stats()
    _forgotten.update({key: stats[key] for key in _forgotten})
