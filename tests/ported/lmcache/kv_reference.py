"""What a transfer does, token by token, in plain Python, on caches and objects of the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

Rows = dict[tuple[int, int], torch.Tensor]
BLOCK, HEADS, HEAD = 4, 2, 4
WIDTH = HEADS * HEAD


def random_bits(*shape: int, dtype: torch.dtype) -> torch.Tensor:
    """Any bits at all, NaN and infinities among them."""
    size = torch.empty(0, dtype=dtype).element_size()
    return torch.randint(0, 256, (*shape[:-1], shape[-1] * size), dtype=torch.uint8).view(dtype)


def same_bits(one: torch.Tensor, other: torch.Tensor) -> bool:
    return torch.equal(one.contiguous().view(torch.uint8), other.contiguous().view(torch.uint8))


@dataclass(frozen=True)
class Layout:
    """One layer's cache: how it is made, and where plane p has its slot s."""

    name: str
    planes: int
    shape: tuple[int, ...]
    in_pairs: bool = False
    tail: int = 0  # what else a tuple holds: absent scales
    block_size: int | None = None

    def make(self, dtype: torch.dtype) -> list[torch.Tensor]:
        """The tensors of a layer, on the CPU."""
        count = self.planes if self.in_pairs else 1
        return [random_bits(*self.shape, dtype=dtype) for _ in range(count)]

    def on_device(self, tensors: Sequence[torch.Tensor]) -> Any:
        if not self.in_pairs:
            return tensors[0].to("hpu")
        pair = [tensor.to("hpu") for tensor in tensors]
        return (*pair, *[None] * (2 - len(pair)), *[None] * self.tail)

    def row(self, tensors: Sequence[torch.Tensor], plane: int, slot: int) -> torch.Tensor:
        """The row, on the memory of the cache."""
        block, offset = divmod(slot, BLOCK)
        if self.in_pairs and self.block_size:
            row = tensors[plane][slot]
        elif self.in_pairs:
            row = tensors[plane][block, offset]
        elif self.name == "two major":
            row = tensors[0][plane, block, offset]
        elif self.name == "in turns":
            row = tensors[0][block, plane, offset]
        else:
            row = tensors[0][block, offset]
        return row.view(-1)


BLOCKS = 7  # live ones
_IN_BLOCKS = (BLOCKS, BLOCK, HEADS, HEAD)
_FLAT = ((BLOCKS + 1) * BLOCK, HEADS, HEAD)
LAYOUTS = [
    Layout("pair", 2, _IN_BLOCKS, in_pairs=True),
    Layout("flattened with pad block", 2, _FLAT, in_pairs=True, tail=2, block_size=BLOCK),
    Layout("two major", 2, (2, *_IN_BLOCKS)),
    Layout("in turns", 2, (BLOCKS, 2, BLOCK, HEADS, HEAD)),
    Layout("MLA", 1, (BLOCKS, BLOCK, WIDTH)),
    Layout("MLA flattened with pad block", 1, (_FLAT[0], WIDTH), True, 2, BLOCK),
]


def planes_of(objects: torch.Tensor, token_major: bool) -> torch.Tensor:
    """An object as [planes, T, D], on its memory."""
    if objects.dim() == 4:
        return objects.view(-1, *objects.shape[2:])
    return objects.transpose(0, 1) if token_major else objects


def copy(
    layout: Layout,
    layers: list[list[torch.Tensor]],
    planes: torch.Tensor,
    slots: Sequence[int],
    to_host: bool,
) -> None:
    """Tokens of one object [planes, T, D], one by one. A slot below zero is skipped."""
    for token, slot in enumerate(slots):
        if slot < 0:
            continue
        for plane in range(len(planes)):
            kind, layer = divmod(plane, len(layers))
            row = layout.row(layers[layer], kind, slot)
            if to_host:
                planes[plane, token] = row
            else:
                row.copy_(planes[plane, token])
