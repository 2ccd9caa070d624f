"""How long a prefix every group of layers can serve, and which chunks each needs for it.

A group with full attention (window <= 0) needs every chunk of the prefix, one with a
window only the last ``window`` chunks. A chunk is there if its shard of every rank is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from lmcache.hpu.bitmap import Bitmap, natural

Order = Callable[[int, int, int, int, int], slice]
"""(group, rank, groups, ranks, chunks) -> where a bitmap has that shard of every chunk."""


def by_chunk(group: int, rank: int, groups: int, ranks: int, chunks: int) -> slice:
    """Chunk, group, rank: the order since 0.5.3."""
    first, step = group * ranks + rank, groups * ranks
    return slice(first, first + chunks * step, step)


def by_group(group: int, rank: int, _groups: int, ranks: int, chunks: int) -> slice:
    """Group, chunk, rank: the order of 0.5.0 to 0.5.2."""
    first = group * chunks * ranks + rank
    return slice(first, first + chunks * ranks, ranks)


def fold(
    found: Bitmap,
    num_chunks: int,
    num_ranks: int,
    group_windows: Sequence[int],
    *,
    order: Order = by_chunk,
) -> Bitmap:
    """Which prefixes all groups can serve: bit j stands for the one of j + 1 chunks."""
    chunks, ranks, groups = natural(num_chunks), natural(num_ranks), len(group_windows)
    bits = bytes(found.bits).ljust(groups * chunks * ranks, b"\0")
    rows = []
    for group, window in enumerate(group_windows):
        shards = [bits[order(group, rank, groups, ranks, chunks)] for rank in range(ranks)]
        rows.append(_servable(_all(shards, chunks), window))
    return Bitmap.of(_all(rows, chunks))


def unfold(
    hit_length: int,
    num_chunks: int,
    num_ranks: int,
    group_windows: Sequence[int],
    *,
    order: Order = by_chunk,
) -> Bitmap:
    """Which shards the groups need to serve a prefix of ``hit_length`` chunks."""
    chunks, ranks, groups = natural(num_chunks), natural(num_ranks), len(group_windows)
    retain = Bitmap(groups * chunks * ranks)
    for group, window in enumerate(group_windows):
        row = _needed(hit_length, chunks, window)
        for rank in range(ranks):
            retain.bits[order(group, rank, groups, ranks, chunks)] = row.bits
    return retain


def fold_grouped(rows: Sequence[Bitmap], windows: Sequence[int]) -> Bitmap:
    """``fold`` of one bitmap a group, a bit for each chunk.

    Raises ValueError if the rows differ in size, or are not as many as the windows.
    """
    if len(rows) != len(windows):
        raise ValueError(f"there are {len(rows)} rows and {len(windows)} windows")
    sizes = {len(row) for row in rows}
    if len(sizes) > 1:
        raise ValueError(f"rows must have one size, and have {sorted(sizes)}")
    servable = [_servable(row.bits, window) for row, window in zip(rows, windows, strict=True)]
    return Bitmap.of(_all(servable, sizes.pop() if sizes else 0))


def unfold_grouped(hit_length: int, num_chunks: int, windows: Sequence[int]) -> list[Bitmap]:
    """``unfold`` to one bitmap a group, a bit for each chunk."""
    return [_needed(hit_length, num_chunks, window) for window in windows]


def _servable(present: bytes | bytearray, window: int) -> Iterator[bool]:
    """For each prefix, whether its last ``window`` chunks are present."""
    run = 0
    for length, chunk in enumerate(present, 1):
        run = run + 1 if chunk else 0
        yield run >= (length if window <= 0 else min(window, length))


def _needed(hit_length: int, num_chunks: int, window: int) -> Bitmap:
    end = min(natural(hit_length), natural(num_chunks))
    needed = Bitmap(num_chunks)
    needed.set_range(0 if window <= 0 else max(0, end - window), end)
    return needed


def _all(rows: Sequence[bytes | Iterator[bool]], size: int) -> bytes:
    """Bit by bit, whether it is set in all rows; ``size`` bits, all set if there is no row."""
    return bytes(map(all, zip(*rows, strict=True))) if rows else b"\1" * size
