"""An index points beside the tensor; a card may read or write whatever lies there."""

from __future__ import annotations

import torch
from torch.nn import functional


class PaddedSlots:
    """Slots of tokens that are cached already are -1, and must be left out before the copy."""

    raises = IndexError

    def bug(self) -> None:
        cache, fresh = torch.zeros(8, 2, device="hpu"), torch.ones(3, 2, device="hpu")
        slots = torch.tensor([-1, 4, 5], device="hpu")
        cache.index_copy_(0, slots, fresh)  # here

    def twin(self) -> None:
        cache, fresh = torch.zeros(8, 2, device="hpu"), torch.ones(3, 2, device="hpu")
        slots = torch.tensor([-1, 4, 5])
        kept = slots.ge(0).nonzero().view(-1).to("hpu")
        cache.index_copy_(0, slots.to("hpu").index_select(0, kept), fresh.index_select(0, kept))
        assert cache.sum().item() == 4


class BlocksAsSlots:
    """A slot is a block times the slots of one, and the place in it."""

    raises = IndexError

    def bug(self) -> None:
        blocks = torch.zeros(4, 16, 2, device="hpu")
        slots = torch.tensor([3, 17, 63], device="hpu")
        blocks.index_select(0, slots)  # here

    def twin(self) -> None:
        blocks = torch.zeros(4, 16, 2, device="hpu")
        slots = torch.tensor([3, 17, 63], device="hpu")
        assert blocks.view(-1, 2).index_select(0, slots).shape == (3, 2)


class TokenBesideTheVocabulary:
    raises = IndexError

    def bug(self) -> None:
        table = torch.zeros(10, 4, device="hpu")
        functional.embedding(torch.tensor([9, 10], device="hpu"), table)  # here

    def twin(self) -> None:
        table = torch.zeros(10, 4, device="hpu")
        functional.embedding(torch.tensor([8, 9], device="hpu"), table)
