"""A row that is not there: a kernel of the CPU or of CUDA says so, a card says nothing."""

from __future__ import annotations

import torch
from torch.nn import functional


class PaddedBlockIds:
    """Block ids are padded to a static shape with -1, which index_select does not count back."""

    raises = IndexError

    def bug(self) -> None:
        cache = torch.arange(8.0, device="hpu").view(4, 2)
        blocks = torch.tensor([2, 0, -1, -1], device="hpu")
        cache.index_select(0, blocks)  # here

    def twin(self) -> None:
        cache = torch.arange(8.0, device="hpu").view(4, 2)
        blocks = torch.tensor([2, 0, 0, 0], device="hpu")
        assert cache.index_select(0, blocks)[:2].tolist() == [[4, 5], [0, 1]]


class PadSlotCutOff:
    """The pad block stands behind the last one; this view of the cache ends before it."""

    raises = IndexError

    def bug(self) -> None:
        cache = torch.zeros(5, 2, device="hpu")
        slots = torch.tensor([3, 4], device="hpu")
        cache[:4].index_copy_(0, slots, torch.ones(2, 2, device="hpu"))  # here

    def twin(self) -> None:
        cache = torch.zeros(5, 2, device="hpu")
        slots = torch.tensor([3, 4], device="hpu")
        cache.index_copy_(0, slots, torch.ones(2, 2, device="hpu"))
        assert cache.sum().item() == 4


class TokenBeyondTheVocabulary:
    raises = IndexError

    def bug(self) -> None:
        table = torch.ones(16, 4, device="hpu")
        functional.embedding(torch.tensor([3, 16], device="hpu"), table)  # here

    def twin(self) -> None:
        table = torch.ones(16, 4, device="hpu")
        assert functional.embedding(torch.tensor([3, 15], device="hpu"), table).sum().item() == 8
