"""In lazy mode a tensor has memory once the ops that write it are launched."""

from __future__ import annotations

import habana_frameworks.torch.core as htcore
import torch


class RegisteredAtOnce:
    """An address for a transfer library, taken where CUDA has one already."""

    def bug(self) -> None:
        arena = torch.zeros(16, device="hpu")
        arena.data_ptr()  # here

    def twin(self) -> None:
        arena = torch.zeros(16, device="hpu")
        htcore.mark_step()
        torch.hpu.synchronize()
        assert arena.data_ptr()


class AddressOfTheStorage:
    def bug(self) -> None:
        kv = torch.zeros(2, 8, device="hpu")
        kv[1].untyped_storage().data_ptr()  # here

    def twin(self) -> None:
        kv = torch.zeros(2, 8, device="hpu")
        torch.hpu.synchronize()
        assert kv[1].untyped_storage().data_ptr() == kv.data_ptr()


class WrittenAgain:
    """It has an address; what lies there is not yet what the ops since will leave."""

    def bug(self) -> None:
        kv = torch.zeros(8, device="hpu")
        torch.hpu.synchronize()
        kv.add_(1)
        kv.data_ptr()  # here

    def twin(self) -> None:
        kv = torch.zeros(8, device="hpu")
        kv.add_(1)
        torch.hpu.synchronize()
        kv.data_ptr()
