"""Compare the overlay's classes with a compiled module of upstream's: FILE OVERLAY.

A process of its own: both want to be called lmcache, and the compiled one loads torch.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import torch  # noqa: F401  the compiled module links it
from hypothesis import given, settings
from hypothesis import strategies as st

SIZES = st.integers(0, 40)
PLACES = st.integers(0, 45)
TOKENS = st.lists(st.integers(-2, 2), max_size=30)
PATTERN = st.lists(st.integers(-2, 2), min_size=1, max_size=3)
WINDOWS = st.lists(st.integers(-1, 4), max_size=3)
BITMAP_STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["set", "clear"]), PLACES),
        st.tuples(st.just("set_range"), PLACES, PLACES),
        st.tuples(st.just("batched_set"), st.lists(PLACES, max_size=4)),
    ),
    max_size=6,
)
ASKED = (
    "popcount",
    "count_leading_zeros",
    "count_leading_ones",
    "highest_set_bit",
    "get_indices_list",
    "get_indices_set",
    "size",
    "__len__",
)
LOCK_STEPS = st.lists(st.sampled_from(["lock", "unlock", "reset"]), max_size=12)


def bitmaps(
    module: ModuleType, can: set[str], size: int, prefix: int, steps: list[tuple[Any, ...]]
) -> list[Any]:
    """What a bitmap says after these steps; ``can`` are the methods that both have."""
    bitmap = module.Bitmap(size, prefix)
    for name, *arguments in steps:
        if name in can:
            getattr(bitmap, name)(*arguments)
    other = module.Bitmap(10, 4)
    said: list[Any] = [repr(each) for each in (bitmap, ~bitmap, bitmap & other, other | bitmap)]
    said += [getattr(bitmap, name)() for name in ASKED if name in can]
    said += [bitmap.gather("abcdefghijkl"), *map(bitmap.test, range(size + 2))]
    return said


def locks(module: ModuleType, seconds: int, steps: list[str]) -> list[bool]:
    lock = module.TTLLock(seconds)
    said = []
    for step in steps:
        getattr(lock, step)()
        said.append(lock.is_locked())
    return said


def folds(
    module: ModuleType,
    size: int,
    seed: int,
    chunks: int,
    ranks: int,
    windows: list[int],
    grouped: bool,
) -> list[str]:
    found = module.Bitmap(size)
    found.batched_set([place for place in range(size) if seed >> place & 1])
    length = seed % 9
    said = [
        module.fold(found, chunks, ranks, windows),
        module.unfold(length, chunks, ranks, windows),
    ]
    if grouped:
        rows = [found.copy() for _ in windows]
        said += [module.fold_grouped(rows, windows)]
        said += module.unfold_grouped(length, chunks, windows)
    return [repr(bitmap) for bitmap in said]


def refusals(module: ModuleType, grouped: bool) -> list[type[Exception] | None]:
    def refused(call: Any) -> type[Exception] | None:
        try:
            call()
        except Exception as error:
            return type(error)
        return None

    calls: list[Any] = [
        lambda: module.Bitmap(-1),
        lambda: module.Bitmap(3).set(-1),
        lambda: module.Bitmap(3) & 1,
        lambda: module.TTLLock(-1),
        lambda: module.ParallelPatternMatcher([]),
        lambda: module.RangePatternMatcher([], [1]),
        lambda: module.RangePatternMatcher([1], []),
        lambda: module.RangePatternMatcher([1] * 9, [1]),
    ]
    if grouped:
        calls += [
            lambda: module.fold_grouped([module.Bitmap(3)], []),
            lambda: module.fold_grouped([module.Bitmap(3), module.Bitmap(4)], [0, 0]),
            lambda: module.unfold_grouped(-1, 3, [0]),
        ]
    return [refused(call) for call in calls]


def layouts(module: ModuleType) -> list[Any]:
    said: list[Any] = []
    names = sorted(name for name in dir(module) if name.startswith("is_"))
    for layout in module.EngineKVFormat.__members__.values():
        said.append((layout.name, int(layout), [getattr(module, name)(layout) for name in names]))
    said += [int(module.TransferDirection.H2D), int(module.TransferDirection.D2H)]
    shape = module.PageBufferShapeDesc()
    fields = ("kv_size", "nl", "nb", "bs", "nh", "hs", "element_size", "block_stride_elems")
    said += [getattr(shape, field) for field in fields]
    module.KernelGroupSpec(1, [2, 3], shape, 256, 16, block_ids_base=4, block_ids_capacity=5)
    return said


def compare(theirs: ModuleType, ours: ModuleType) -> None:
    grouped = hasattr(theirs, "fold_grouped")
    can = set(dir(theirs.Bitmap)) & set(dir(ours.Bitmap))
    lacking = {name for name in set(dir(theirs.Bitmap)) - can if not name.startswith("_")}
    assert not lacking, lacking

    @given(st.tuples(SIZES, PLACES, BITMAP_STEPS))
    @settings(deadline=None)
    def same_bitmaps(case: tuple[Any, ...]) -> None:
        assert bitmaps(theirs, can, *case) == bitmaps(ours, can, *case)

    @given(st.tuples(st.sampled_from([0, 300]), LOCK_STEPS))
    @settings(deadline=None)
    def same_locks(case: tuple[Any, ...]) -> None:
        assert locks(theirs, *case) == locks(ours, *case)

    @given(TOKENS, PATTERN, PATTERN)
    @settings(deadline=None)
    def same_matches(data: list[int], start: list[int], end: list[int]) -> None:
        for name, patterns in (
            ("ParallelPatternMatcher", [start]),
            ("RangePatternMatcher", [start, end]),
        ):
            first, second = (getattr(each, name)(*patterns) for each in (theirs, ours))
            assert first.match(data) == second.match(data)

    @given(st.tuples(SIZES, st.integers(0, 2**40), st.integers(0, 6), st.integers(0, 3), WINDOWS))
    @settings(deadline=None)
    def same_folds(case: tuple[Any, ...]) -> None:
        assert folds(theirs, *case, grouped) == folds(ours, *case, grouped)

    same_bitmaps()
    same_locks()
    same_matches()
    assert refusals(theirs, grouped) == refusals(ours, grouped)
    same_folds()
    if hasattr(theirs, "EngineKVFormat"):
        assert layouts(theirs) == layouts(ours)
    missing = {name for name in dir(theirs) if not name.startswith("_")} - set(ours.__all__)
    assert not missing, missing


def main(file: str, overlay: str, target: str) -> None:
    spec = importlib.util.spec_from_file_location(Path(file).name.partition(".")[0], file)
    assert spec is not None and spec.loader is not None
    theirs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(theirs)
    package = ModuleType("lmcache")
    package.__path__ = [str(Path(overlay) / "lmcache")]
    sys.modules["lmcache"] = package
    compare(theirs, importlib.import_module(target))


if __name__ == "__main__":
    main(*sys.argv[1:])
