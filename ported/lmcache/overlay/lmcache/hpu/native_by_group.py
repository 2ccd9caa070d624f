"""``native`` for releases 0.5.0 to 0.5.2, whose bitmaps have groups before chunks."""

from __future__ import annotations

from functools import partial

from lmcache.hpu import fold as _fold
from lmcache.hpu.native import (
    Bitmap,
    ParallelPatternMatcher,
    PeriodicEventNotifier,
    RangePatternMatcher,
    TTLLock,
)

__all__ = [
    "Bitmap",
    "ParallelPatternMatcher",
    "PeriodicEventNotifier",
    "RangePatternMatcher",
    "TTLLock",
    "fold",
    "unfold",
]

fold = partial(_fold.fold, order=_fold.by_group)
unfold = partial(_fold.unfold, order=_fold.by_group)
