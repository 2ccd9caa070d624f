"""A prompt in a buffer of the device: chunks side by side, and zeros where there is none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from lmcache.hpu import slots, steps
from lmcache.hpu.connectors.base import only_tensor
from lmcache.hpu.kv_views import LayerView
from lmcache.hpu.slots import Ids, Move
from lmcache.hpu.transfer import Flight, Group, SentIds
from lmcache.v1.memory_management import MemoryObj
from torch import Tensor


class Prompt:
    """The tokens from ``starts[0]`` to ``ends[-1]``; buffers are [2, T, D] on the device.

    Raises ValueError for chunks that overlap or are out of order, and for slots that are not live.
    """

    def __init__(
        self,
        mapping: Ids,
        starts: Sequence[int],
        ends: Sequence[int],
        view: LayerView,
        skip_prefix: int,
    ) -> None:
        """``view`` stands for every layer; ``skip_prefix`` tokens are not scattered."""
        self._spans = list(zip(starts, ends, strict=True))
        self._first, self._last = starts[0], ends[-1]
        if any(start < end for (_, end), (start, _) in pairwise(self._spans)):
            raise ValueError("chunks overlap, or are not in the order of the prompt")
        self._device = view.planes[0].blocks.device
        self._dtype = view.dtype
        whole = [(self._first, self._last)]
        wanted = slots.moved(mapping, whole, view.num_slots, writes=True, skip_prefix=skip_prefix)
        self._moves = [
            (move, rows if isinstance(rows, slice) else rows.to(self._device))
            for move, rows in _moves(wanted[self._first : self._last], view.block_size)
        ]
        self._sent = SentIds(view.block_size, self._device)
        self._turn: tuple[Tensor, Tensor] | None = None

    def buffer(self, width: int) -> Tensor:
        tokens = self._last - self._first
        return torch.empty(2, tokens, width, dtype=self._dtype, device=self._device)

    def know_positions(self, memory_objs: Sequence[MemoryObj]) -> None:
        """Learn where the chunks were computed. Raises ValueError where one has forgotten it."""
        new = torch.arange(self._first, self._last)
        old = new.clone()
        for (start, end), memory_obj in zip(self._spans, memory_objs, strict=True):
            known = memory_obj.metadata.cached_positions
            if known is None:
                raise ValueError(
                    "a chunk does not know the positions that it was computed at; blending needs "
                    "a backend that keeps them, which is memory or disk of this host"
                )
            old[start - self._first : end - self._first] = known.cpu()
        if not torch.equal(old, new):
            self._turn = old.to(self._device), new.to(self._device)

    def rotate(self, buffer: Tensor, rotary: Any) -> None:
        """Turn keys to the positions of this prompt; ``rotary()`` is asked for if there are any."""
        if self._turn:
            rotary()(*self._turn, buffer[0])
            steps.launch()

    def fill(self, buffer: Tensor, memory_objs: Sequence[MemoryObj], group: Group) -> Flight:
        """Send the chunks of a layer; one graph, and no wait."""
        flight, parts, reached = Flight(), [], self._first
        whole = group.seen(buffer)
        for (start, end), memory_obj in zip(self._spans, memory_objs, strict=True):
            if start > reached:
                parts.append(torch.zeros_like(whole[:, : start - reached]))
            chunk = flight.keep(group.seen(only_tensor(memory_obj)))
            parts.append(chunk.to(self._device, non_blocking=True))
            reached = end
        torch.cat(parts, dim=1, out=whole)
        steps.launch()
        return flight

    def scatter(self, buffer: Tensor, group: Group) -> None:
        """Write a layer into the blocks of the cache; one graph."""
        for move, rows in self._moves:
            for plane, tokens in zip(group.planes, group.seen(buffer), strict=True):
                units = plane.units(move.unit).view(tokens.dtype)
                taken = tokens[rows] if isinstance(rows, slice) else tokens.index_select(0, rows)
                units.index_copy_(0, self._sent.of(move, plane), taken.view(-1, *units.shape[1:]))
        steps.launch()


def _moves(wanted: Ids, block_size: int) -> Iterator[tuple[Move, slice | Tensor]]:
    """Whole blocks as long as the prompt has them, then single tokens; and their rows."""
    begins = slots.block_begins(wanted, block_size)[::block_size]
    blocks = int(np.argmin(begins)) if not begins.all() else len(begins)
    end = blocks * block_size
    if blocks:
        ids = torch.from_numpy(wanted[:end:block_size] // block_size)
        yield Move(block_size, ids), slice(0, end)
    live = np.flatnonzero(wanted[end:] >= 0) + end
    if len(live):
        ids = torch.from_numpy(wanted[live])
        in_a_row = int(live[-1] - live[0]) + 1 == len(live)
        rows = slice(int(live[0]), int(live[-1]) + 1) if in_a_row else torch.from_numpy(live)
        yield Move(1, ids), rows
