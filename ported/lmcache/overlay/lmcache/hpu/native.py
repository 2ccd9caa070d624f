"""What upstream's native modules without a device code offer, under the same names."""

from __future__ import annotations

from lmcache.hpu.bitmap import Bitmap
from lmcache.hpu.fold import fold, fold_grouped, unfold, unfold_grouped
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
from lmcache.hpu.locks import TTLLock
from lmcache.hpu.notifier import PeriodicEventNotifier
from lmcache.hpu.patterns import ParallelPatternMatcher, RangePatternMatcher
from lmcache.hpu.pending import Pending

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


class LMCacheRedisClient(metaclass=Pending):
    """A client of a Redis server that answers through an event descriptor."""


class LMCacheFSClient(metaclass=Pending):
    """A client of a folder that answers through an event descriptor."""
