"""What upstream's native modules without a device code offer, under the same names."""

from __future__ import annotations

from lmcache.hpu.layouts import (
    EngineKVFormat,
    GPUKVFormat,
    KernelGroupSpec,
    PageBufferShapeDesc,
    TransferDirection,
    is_cross_layer,
    is_kv_list,
    is_kv_second_tuple,
    is_layer_list,
    is_mla,
)
from lmcache.hpu.pending import Pending, pending

__all__ = [
    "Bitmap",
    "EngineKVFormat",
    "GPUKVFormat",
    "KernelGroupSpec",
    "LMCacheFSClient",
    "LMCacheRedisClient",
    "PageBufferShapeDesc",
    "ParallelPatternMatcher",
    "PeriodicEventNotifier",
    "RangePatternMatcher",
    "TTLLock",
    "TransferDirection",
    "fold",
    "fold_grouped",
    "is_cross_layer",
    "is_kv_list",
    "is_kv_second_tuple",
    "is_layer_list",
    "is_mla",
    "unfold",
    "unfold_grouped",
]


class Bitmap(metaclass=Pending):
    """A fixed number of bits: which keys of a request were found."""


class TTLLock(metaclass=Pending):
    """A counting lock that opens by itself after a number of seconds."""


class PeriodicEventNotifier(metaclass=Pending):
    """One thread that wakes registered file descriptors at an interval."""


class ParallelPatternMatcher(metaclass=Pending):
    """Finds every place of one sequence of token ids in another."""


class RangePatternMatcher(metaclass=Pending):
    """Finds the ranges between two sequences of token ids."""


class LMCacheRedisClient(metaclass=Pending):
    """A client of a Redis server that answers through an event descriptor."""


class LMCacheFSClient(metaclass=Pending):
    """A client of a folder that answers through an event descriptor."""


@pending
def fold(found: Bitmap, num_chunks: int, num_ranks: int, group_windows: list[int]) -> None:
    """Which prefix lengths every group can serve, from what was found in each."""


@pending
def unfold(hit_length: int, num_chunks: int, num_ranks: int, group_windows: list[int]) -> None:
    """Which chunks each group keeps for a prefix of ``hit_length`` chunks."""


@pending
def fold_grouped(rows: list[Bitmap], windows: list[int]) -> None:
    """``fold`` for one bitmap a group."""


@pending
def unfold_grouped(hit_length: int, num_chunks: int, windows: list[int]) -> None:
    """``unfold`` to one bitmap a group."""
