"""What came back from the device is read on the host before it is there."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

import habana_frameworks.torch.core as htcore
import torch


def pinned(*shape: int) -> torch.Tensor:
    return torch.empty(*shape, pin_memory=True)


class MarkStepForSynchronize:
    """mark_step launches, and waits for nothing."""

    def bug(self) -> None:
        logits = torch.arange(8.0, device="hpu")
        host = pinned(8)
        host.copy_(logits, non_blocking=True)
        htcore.mark_step()
        host.tolist()  # here

    def twin(self) -> None:
        logits = torch.arange(8.0, device="hpu")
        host = pinned(8)
        host.copy_(logits, non_blocking=True)
        htcore.mark_step()
        torch.hpu.synchronize()
        assert host.tolist() == list(range(8))


class MarkStepInEagerMode:
    lazy = False

    def bug(self) -> None:
        sampled = torch.tensor([3, 1], device="hpu").to("cpu", non_blocking=True)
        htcore.mark_step()
        sampled.numpy()  # here

    def twin(self) -> None:
        sampled = torch.tensor([3, 1], device="hpu").to("cpu", non_blocking=True)
        torch.hpu.synchronize()
        assert sampled.numpy().tolist() == [3, 1]


class OpOnTheHost:
    def bug(self) -> None:
        chunk = torch.full((4, 16), 0.5, device="hpu")
        staging = pinned(4, 16)
        staging.copy_(chunk, non_blocking=True)
        stored = staging.clone()  # here
        assert stored.isnan().all()

    def twin(self) -> None:
        chunk = torch.full((4, 16), 0.5, device="hpu")
        staging = pinned(4, 16)
        staging.copy_(chunk, non_blocking=True)
        torch.hpu.current_stream().synchronize()
        stored = staging.clone()
        assert stored.eq(0.5).all()


class ItemOfTheCopy:
    def bug(self) -> None:
        loss = torch.full((), 2.5, device="hpu")
        on_host = loss.to("cpu", non_blocking=True)
        on_host.item()  # here

    def twin(self) -> None:
        """``cpu()`` waits."""
        loss = torch.full((), 2.5, device="hpu")
        on_host = loss.cpu()
        assert on_host.item() == 2.5


class ConditionOnTheCopy:
    def bug(self) -> None:
        done = torch.ones(4, dtype=torch.bool, device="hpu").to("cpu", non_blocking=True)
        steps = 0 if done.all() else 1  # here
        assert steps == 1

    def twin(self) -> None:
        done = torch.ones(4, dtype=torch.bool, device="hpu").to("cpu", non_blocking=True)
        event = torch.hpu.Event()
        event.record()
        event.synchronize()
        steps = 0 if done.all() else 1
        assert steps == 0


class EventBeforeTheCopy:
    """An event stands for what was asked for before it was recorded."""

    def bug(self) -> None:
        tokens = torch.arange(4, device="hpu")
        host = torch.empty(4, dtype=torch.int64, pin_memory=True)
        arrived = torch.hpu.Event()
        arrived.record()
        host.copy_(tokens, non_blocking=True)
        arrived.synchronize()
        host.tolist()  # here

    def twin(self) -> None:
        tokens = torch.arange(4, device="hpu")
        host = torch.empty(4, dtype=torch.int64, pin_memory=True)
        arrived = torch.hpu.Event()
        host.copy_(tokens, non_blocking=True)
        arrived.record()
        arrived.synchronize()
        assert host.tolist() == [0, 1, 2, 3]


class OtherStreamSynchronized:
    def bug(self) -> None:
        kv = torch.ones(8, device="hpu")
        store = torch.hpu.Stream()
        store.wait_stream(torch.hpu.current_stream())
        with torch.hpu.stream(store):
            host = kv.to("cpu", non_blocking=True)
        torch.hpu.current_stream().synchronize()
        assert host.sum() != 8  # here
        torch.hpu.synchronize()

    def twin(self) -> None:
        kv = torch.ones(8, device="hpu")
        store = torch.hpu.Stream()
        store.wait_stream(torch.hpu.current_stream())
        with torch.hpu.stream(store):
            host = kv.to("cpu", non_blocking=True)
        store.synchronize()
        assert host.sum() == 8


class SavedTooEarly:
    """A disk backend that pickles what it was handed."""

    def bug(self) -> None:
        weights = torch.ones(16, device="hpu").to("cpu", non_blocking=True)
        torch.save(weights, io.BytesIO())  # here

    def twin(self) -> None:
        weights = torch.ones(16, device="hpu").to("cpu", non_blocking=True)
        torch.hpu.synchronize()
        file = io.BytesIO()
        torch.save(weights, file)
        file.seek(0)
        assert torch.load(file).eq(1).all()


class ReadByAnotherThread:
    """A writer thread gets the buffer; nobody tells it when the bytes are there."""

    def bug(self) -> None:
        host = pinned(8)
        host.copy_(torch.ones(8, device="hpu"), non_blocking=True)
        with ThreadPoolExecutor(1) as writer:
            writer.submit(lambda: host.numpy().tobytes()).result(30)  # here

    def twin(self) -> None:
        host = pinned(8)
        host.copy_(torch.ones(8, device="hpu"), non_blocking=True)
        arrived = torch.hpu.Event()
        arrived.record()

        def write() -> bytes:
            arrived.synchronize()
            return host.numpy().tobytes()

        with ThreadPoolExecutor(1) as writer:
            data = writer.submit(write).result(30)
        assert data == torch.ones(8).numpy().tobytes()


class PartOfABufferReadTooEarly:
    """Chunks share one pinned buffer; the twin reads the one that has arrived."""

    def bug(self) -> None:
        kv = torch.arange(8.0, device="hpu")
        host = pinned(2, 4)
        host[0].copy_(kv[:4], non_blocking=True)
        first = torch.hpu.Event()
        first.record()
        host[1].copy_(kv[4:], non_blocking=True)
        first.synchronize()
        host[1].tolist()  # here

    def twin(self) -> None:
        kv = torch.arange(8.0, device="hpu")
        host = pinned(2, 4)
        host[0].copy_(kv[:4], non_blocking=True)
        first = torch.hpu.Event()
        first.record()
        host[1].copy_(kv[4:], non_blocking=True)
        first.synchronize()
        assert host[0].tolist() == [0, 1, 2, 3]


class ArrivingIndex:
    """A host tensor as the index of a device tensor is read by the host."""

    def bug(self) -> None:
        cache = torch.zeros(4, 2, device="hpu")
        order = torch.arange(4, device="hpu").to("cpu", non_blocking=True)
        try:
            cache[order]  # here
        except IndexError:
            """What lies in the index is rubbish by now."""

    def twin(self) -> None:
        cache = torch.zeros(4, 2, device="hpu")
        order = torch.arange(4, device="hpu").to("cpu")
        assert cache[order].shape == (4, 2)


class ArrivingScale:
    def bug(self) -> None:
        scale = torch.full((), 3.0, device="hpu").to("cpu", non_blocking=True)
        torch.ones(2, device="hpu") * scale  # here

    def twin(self) -> None:
        scale = torch.full((), 3.0, device="hpu").to("cpu", non_blocking=True)
        torch.hpu.synchronize()
        scaled = torch.ones(2, device="hpu") * scale
        assert scaled.tolist() == [3, 3]


class PinnedMemoryOnly:
    """As a card does it: the copy is asynchronous where the host memory is pinned."""

    asynchrony = "pinned"

    def bug(self) -> None:
        host = pinned(4)
        host.copy_(torch.ones(4, device="hpu"), non_blocking=True)
        host.norm()  # here

    def twin(self) -> None:
        host = torch.empty(4)
        host.copy_(torch.ones(4, device="hpu"), non_blocking=True)
        host.norm()
