"""Numbers of 64 bits on a device that holds 32 of them in lazy mode."""

from __future__ import annotations

import torch

BLOCK_HASH = 0x1B873593_5BD1E995


class HashOnTheDevice:
    def bug(self) -> None:
        hashes = torch.tensor([BLOCK_HASH])
        hashes.to("hpu")  # here

    def twin(self) -> None:
        """Hashes stay on the CPU; what the device gets is their number in a table."""
        table = {BLOCK_HASH: 0}
        numbers = torch.tensor([table[BLOCK_HASH]])
        assert numbers.to("hpu").item() == 0


class ByteOffsets:
    """Slots fit, slots times the bytes of one do not."""

    def bug(self) -> None:
        slots = torch.tensor([100, 70_000], device="hpu")
        slots * 65_536  # here

    def twin(self) -> None:
        slots = torch.tensor([100, 70_000])
        offsets = slots * 65_536
        assert offsets.max().item() == 70_000 * 65_536


class PointersOnTheDevice:
    """A kernel's table of addresses has no counterpart: address a layer by its index."""

    def bug(self) -> None:
        layers = [torch.zeros(4) for _ in range(2)]
        torch.tensor([layer.data_ptr() for layer in layers], device="hpu")  # here

    def twin(self) -> None:
        layers = [torch.zeros(4) for _ in range(2)]
        torch.arange(len(layers), device="hpu")


class Sentinel:
    """The largest int64 as "nothing"; the largest int32 serves as well."""

    def bug(self) -> None:
        best = torch.zeros(4, dtype=torch.int64, device="hpu")
        best.fill_(torch.iinfo(torch.int64).max)  # here

    def twin(self) -> None:
        best = torch.zeros(4, dtype=torch.int64, device="hpu")
        best.fill_(torch.iinfo(torch.int32).max)


class RunningTotal:
    def bug(self) -> None:
        sizes = torch.full((3,), 2**30, device="hpu")
        sizes.cumsum(0)  # here

    def twin(self) -> None:
        sizes = torch.full((3,), 2**30, device="hpu")
        assert sizes.cpu().cumsum(0)[-1].item() == 3 * 2**30
