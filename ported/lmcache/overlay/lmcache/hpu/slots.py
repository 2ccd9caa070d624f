"""Which blocks, and which tokens beside them, a transfer moves: worked out on the CPU, once.

A plan is made of moves, each of which becomes one graph, and there are few shapes of them:
objects that are whole blocks from end to end, several together or one alone; a single
block out of an object; as many single tokens as a block has. Only the last of the single tokens
are padded, to a block, and nothing but the data of a live slot is ever written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

TOGETHER = 8  # objects in one graph, at most; a power of two
_FEWER = 8  # each number of objects in one graph is so many times the next smaller one

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Share:
    """``tokens`` of an object, which lie in the buffer of a move from row ``first`` on."""

    object: int
    tokens: Tensor
    first: int


@dataclass(frozen=True)
class Move:
    """One graph: the blocks, or single tokens where ``unit`` is 1, that ``ids`` [n] name.

    Either the ``objects`` are moved from end to end, or ``shares`` of them by way of a buffer of
    ``unit * n`` rows, of which the first ``live`` are data and the others padding.
    """

    unit: int
    ids: Tensor
    objects: tuple[int, ...] = ()
    shares: tuple[Share, ...] = ()
    live: int = 0

    @property
    def rows(self) -> int:
        return self.unit * len(self.ids)

    def pool_ids(self, block_size: int, every: int, at: int) -> Tensor:
        """``ids`` where block b of the engine is number ``b * every + at`` of its pool."""
        if (every, at) == (1, 0):
            return self.ids
        if self.unit == block_size:
            return self.ids * every + at
        block = self.ids.div(block_size, rounding_mode="floor")
        return (block * every + at) * block_size + self.ids % block_size


@dataclass(frozen=True)
class Plan:
    """What is moved for objects that hold the tokens ``spans`` of a sequence.

    It holds for either direction, every layer, and all caches with this block size.
    """

    block_size: int
    moves: tuple[Move, ...]


def on_cpu(slot_mapping: Tensor | Sequence[int]) -> Ids:
    """A slot mapping as numbers. From the device, it is the one wait before a transfer."""
    ids: Ids = torch.as_tensor(slot_mapping, dtype=torch.int64).cpu().numpy()
    return ids


def of_blocks(block_ids: Tensor | Sequence[int], block_size: int) -> Ids:
    """The slot mapping of whole blocks; a block below zero is skipped."""
    blocks = on_cpu(block_ids)[:, None]
    slots = blocks * block_size + np.arange(block_size)
    return np.where(blocks < 0, -1, slots).reshape(-1)


def plan(
    slots: Ids,
    spans: Sequence[tuple[int, int]],
    block_size: int,
    num_slots: int,
    *,
    writes: bool,
    skip_prefix: int = 0,
    chunk_size: int | None = None,
    together: int = TOGETHER,
) -> Plan:
    """Object i holds the tokens ``spans[i]``, and token t lies in ``slots[t]``.

    Slots below zero are skipped, and the first ``skip_prefix`` tokens. A plan that ``writes`` the
    cache takes the last of the tokens that share a slot; one that reads takes them all.
    ``chunk_size`` is what an object holds unless it is the last of its prompt. Raises ValueError
    for a slot that is not live, and for tokens that the mapping does not have.
    """
    wanted = moved(slots, spans, num_slots, writes=writes, skip_prefix=skip_prefix)
    begins = block_begins(wanted, block_size)
    whole: dict[int, list[int]] = defaultdict(list)
    single: list[Move] = []
    tokens = _Tokens()
    for number, (start, end) in enumerate(spans):
        size = end - start
        if _moves_whole(size, block_size, chunk_size) and begins[start:end:block_size].all():
            whole[size].append(number)
            continue
        blocks: list[int] = np.flatnonzero(
            begins[start : max(start, end - block_size + 1)]
        ).tolist()
        single += (_single(wanted, start + block, block, number, block_size) for block in blocks)
        rest = wanted[start:end].copy()
        for block in blocks:
            rest[block : block + block_size] = -1
        tokens.add(number, rest)
    moves = [
        move
        for numbers in whole.values()
        for move in _together(wanted, spans, numbers, block_size, together)
    ]
    return Plan(block_size, (*moves, *single, *tokens.moves(block_size)))


def moved(
    slots: Ids,
    spans: Sequence[tuple[int, int]],
    num_slots: int,
    *,
    writes: bool,
    skip_prefix: int = 0,
) -> Ids:
    """The slot mapping with -1 for all tokens that are not moved; see ``plan``."""
    wanted = np.full(len(slots), -1, dtype=np.int64)
    for start, end in spans:
        if not 0 <= start <= end <= len(slots):
            raise ValueError(f"tokens {start} to {end} of a slot mapping of {len(slots)}")
        wanted[start:end] = slots[start:end]
    wanted[:skip_prefix] = -1
    if writes:
        wanted = _without_overwritten(wanted)
    if len(wanted) and wanted.max() >= num_slots:
        raise ValueError(f"slot {wanted.max()} is none of the cache's {num_slots} live slots")
    return wanted


def _without_overwritten(slots: Ids) -> Ids:
    """-1 for tokens whose slot a later token has, too.

    On the device the order of writes within one op is not defined.
    """
    live = np.flatnonzero(slots >= 0)[::-1]
    _, latest = np.unique(slots[live], return_index=True)
    kept = np.full_like(slots, -1)
    kept[live[latest]] = slots[live[latest]]
    return kept


def block_begins(slots: Ids, block_size: int) -> NDArray[np.bool_]:
    """Where a whole block begins whose tokens follow one another."""
    begins = np.zeros(len(slots), dtype=np.bool_)
    if len(slots) < block_size:
        return begins
    steps = np.concatenate([[0], np.cumsum(np.diff(slots) == 1)])
    last = block_size - 1
    runs = steps[last:] - steps[: len(slots) - last] == last
    begins[: len(runs)] = runs & (slots[: len(runs)] >= 0) & (slots[: len(runs)] % block_size == 0)
    return begins


def _moves_whole(size: int, block_size: int, chunk_size: int | None) -> bool:
    """Each size of objects that are moved whole is a shape of its own, so there are few."""
    blocks, odd = divmod(size, block_size)
    if odd or not blocks:
        return False
    return size == chunk_size if chunk_size else blocks & (blocks - 1) == 0


def _together(
    slots: Ids,
    spans: Sequence[tuple[int, int]],
    numbers: list[int],
    block_size: int,
    together: int,
) -> Iterator[Move]:
    while numbers:
        while together > len(numbers):
            together = max(together // _FEWER, 1)
        objects, numbers = numbers[:together], numbers[together:]
        begins = [slots[slice(*spans[number], block_size)] for number in objects]
        ids = torch.from_numpy(np.concatenate(begins) // block_size)
        yield Move(block_size, ids, objects=tuple(objects))


def _single(slots: Ids, begin: int, token: int, number: int, block_size: int) -> Move:
    tokens = torch.arange(token, token + block_size)
    ids = torch.from_numpy(slots[begin : begin + 1] // block_size)
    return Move(block_size, ids, shares=(Share(number, tokens, 0),), live=block_size)


class _Tokens:
    """Tokens that are moved one by one, from all objects."""

    def __init__(self) -> None:
        self._parts: list[Ids] = []

    def add(self, number: int, slots: Ids) -> None:
        """``slots`` of an object's tokens."""
        live = np.flatnonzero(slots >= 0)
        self._parts.append(np.stack([np.full_like(live, number), live, slots[live]]))

    def moves(self, rows: int) -> Iterator[Move]:
        """So many tokens a move; the last is padded by its last token again."""
        if not self._parts:
            return
        objects, tokens, slots = np.concatenate(self._parts, axis=1)
        for begin in range(0, len(slots), rows):
            part = slice(begin, begin + rows)
            live = len(slots[part])
            ids = np.concatenate([slots[part], np.repeat(slots[part][-1:], rows - live)])
            shares = tuple(_shares(objects[part], tokens[part]))
            yield Move(1, torch.from_numpy(ids), shares=shares, live=live)


def _shares(objects: Ids, tokens: Ids) -> Iterator[Share]:
    ends = [*(np.flatnonzero(np.diff(objects)) + 1), len(objects)]
    begin = 0
    for end in ends:
        yield Share(int(objects[begin]), torch.from_numpy(tokens[begin:end].copy()), int(begin))
        begin = end
