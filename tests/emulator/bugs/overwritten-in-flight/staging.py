"""Host memory is used again while a copy still reads or writes it."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch.utils.data import DataLoader


class StagingBufferUsedAgain:
    def bug(self) -> None:
        staging = torch.empty(4, pin_memory=True)
        chunks = []
        for value in range(2):
            staging.fill_(value)  # here
            chunks.append(staging.to("hpu", non_blocking=True))

    def twin(self) -> None:
        staging = torch.empty(4, pin_memory=True)
        chunks = []
        for value in range(2):
            staging.fill_(value)
            chunks.append(staging.to("hpu", non_blocking=True))
            torch.hpu.current_stream().synchronize()
        assert [chunk[0].item() for chunk in chunks] == [0, 1]


class DoubleBufferOneEventShort:
    """Two buffers in turn want two events: the last one says nothing of the other buffer."""

    def bug(self) -> None:
        buffers = [torch.empty(4, pin_memory=True) for _ in range(2)]
        loads = [torch.hpu.Stream() for _ in range(2)]
        passed = torch.hpu.Event()
        for step in range(3):
            if step >= 2:
                passed.synchronize()
            buffers[step % 2].fill_(step)  # here
            with torch.hpu.stream(loads[step % 2]):
                buffers[step % 2].to("hpu", non_blocking=True)
                passed.record()
        torch.hpu.synchronize()

    def twin(self) -> None:
        buffers = [torch.empty(4, pin_memory=True) for _ in range(2)]
        loads = [torch.hpu.Stream() for _ in range(2)]
        passed = [torch.hpu.Event() for _ in range(2)]
        for step in range(3):
            if step >= 2:
                passed[step % 2].synchronize()
            buffers[step % 2].fill_(step)
            with torch.hpu.stream(loads[step % 2]):
                buffers[step % 2].to("hpu", non_blocking=True)
                passed[step % 2].record()
        torch.hpu.synchronize()


class NumpyWritesTheSource:
    """Nobody sees numpy write; the copy finds out when it is waited for, so its line is named."""

    def bug(self) -> None:
        slots = torch.zeros(4, dtype=torch.int32, pin_memory=True)
        view = slots.numpy()
        slots.to("hpu", non_blocking=True)  # here
        view[:] = 7
        torch.hpu.synchronize()

    def twin(self) -> None:
        slots = torch.zeros(4, dtype=torch.int32, pin_memory=True)
        view = slots.numpy()
        on_device = slots.to("hpu", non_blocking=True)
        torch.hpu.synchronize()
        view[:] = 7
        assert on_device.tolist() == [0] * 4


class NumberWrittenByNumpy:
    def run(self, waits: bool) -> None:
        temperature = torch.tensor(0.5)
        on_device = temperature.to("hpu", non_blocking=True)  # here
        if waits:
            torch.hpu.synchronize()
        temperature.numpy()[...] = 1
        torch.hpu.synchronize()
        assert on_device.item() == 0.5

    def bug(self) -> None:
        self.run(waits=False)

    def twin(self) -> None:
        self.run(waits=True)


class SortedInPlace:
    def bug(self) -> None:
        lengths = torch.tensor([3, 1, 2], dtype=torch.int32)
        lengths.to("hpu", non_blocking=True)
        lengths.copy_(lengths.sort().values)  # here

    def twin(self) -> None:
        lengths = torch.tensor([3, 1, 2], dtype=torch.int32)
        lengths.to("hpu", non_blocking=True)
        lengths = lengths.sort().values
        assert lengths.tolist() == [1, 2, 3]


class ClearedWhileItArrives:
    """The host prepares a buffer that a copy from the device is about to fill."""

    def bug(self) -> None:
        out = torch.empty(4, pin_memory=True)
        out.copy_(torch.ones(4, device="hpu"), non_blocking=True)
        out.zero_()  # here
        torch.hpu.synchronize()

    def twin(self) -> None:
        out = torch.empty(4, pin_memory=True)
        out.zero_()
        out.copy_(torch.ones(4, device="hpu"), non_blocking=True)
        torch.hpu.synchronize()
        assert out.tolist() == [1] * 4


class NeighbourInTheSameBuffer:
    """Chunks of one arena: the twin writes a chunk that no copy has to do with."""

    def bug(self) -> None:
        arena = torch.zeros(4, 8, pin_memory=True)
        arena[:2].to("hpu", non_blocking=True)
        arena[1].fill_(1)  # here

    def twin(self) -> None:
        arena = torch.zeros(4, 8, pin_memory=True)
        arena[:2].to("hpu", non_blocking=True)
        arena[2].fill_(1)
        torch.hpu.synchronize()


class OneBatchForAll:
    """A collate function that saves an allocation, and a loop that copies ahead."""

    def batches(self, shared: bool) -> Iterator[torch.Tensor]:
        buffer = torch.empty(2)

        def collate(samples: list[torch.Tensor]) -> torch.Tensor:
            return torch.stack(samples, out=buffer if shared else None)  # here

        return iter(DataLoader(torch.arange(4.0).split(1), batch_size=2, collate_fn=collate))

    def bug(self) -> None:
        for batch in self.batches(shared=True):
            batch.to("hpu", non_blocking=True)

    def twin(self) -> None:
        for batch in self.batches(shared=False):
            batch.to("hpu", non_blocking=True)
        torch.hpu.synchronize()


class SwappedThroughOneBuffer:
    """Out and in again through one buffer: the order of one stream is enough."""

    def bug(self) -> None:
        staging = torch.zeros(4, pin_memory=True)
        staging.to("hpu", non_blocking=True)
        staging.copy_(torch.ones(4))  # here
        torch.hpu.synchronize()

    def twin(self) -> None:
        staging = torch.zeros(4, pin_memory=True)
        first = staging.to("hpu", non_blocking=True)
        staging.copy_(torch.ones(4, device="hpu"), non_blocking=True)
        second = staging.to("hpu", non_blocking=True)
        torch.hpu.synchronize()
        assert [first[0].item(), second[0].item(), staging[0].item()] == [0, 1, 1]
