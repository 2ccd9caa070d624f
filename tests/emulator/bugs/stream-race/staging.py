"""Copies of two streams meet in host memory."""

from __future__ import annotations

import torch


class OutAndInThroughOneBuffer:
    """What one stream brings to the host another one takes back, and does not wait."""

    def run(self, waits: bool) -> None:
        store, load = torch.hpu.Stream(), torch.hpu.Stream()
        page, staging = torch.ones(4, device="hpu"), torch.zeros(4, pin_memory=True)
        torch.hpu.synchronize()
        with torch.hpu.stream(store):
            staging.copy_(page, non_blocking=True)
        if waits:
            load.wait_stream(store)
        with torch.hpu.stream(load):
            again = staging.to("hpu", non_blocking=True)  # here
        torch.hpu.synchronize()
        assert again.eq(page).all() == waits

    def bug(self) -> None:
        self.run(waits=False)

    def twin(self) -> None:
        self.run(waits=True)


class StoreOverABufferThatIsLoaded:
    """A store takes a buffer from which a load on another stream still reads."""

    def run(self, waits: bool) -> None:
        store, load = torch.hpu.Stream(), torch.hpu.Stream()
        page, staging = torch.ones(4, device="hpu"), torch.zeros(4, pin_memory=True)
        torch.hpu.synchronize()
        with torch.hpu.stream(load):
            loaded = staging.to("hpu", non_blocking=True)
        if waits:
            store.wait_stream(load)
        with torch.hpu.stream(store):
            staging.copy_(page, non_blocking=True)  # here
        torch.hpu.synchronize()
        assert loaded.sum().item() == 0

    def bug(self) -> None:
        self.run(waits=False)

    def twin(self) -> None:
        self.run(waits=True)


class TwoStoresIntoOneBuffer:
    def run(self, second: slice) -> None:
        streams = [torch.hpu.Stream() for _ in range(2)]
        page, staging = torch.ones(4, device="hpu"), torch.zeros(8, pin_memory=True)
        torch.hpu.synchronize()
        for stream, part in zip(streams, (slice(0, 4), second), strict=True):
            with torch.hpu.stream(stream):
                staging[part].copy_(page, non_blocking=True)  # here
        torch.hpu.synchronize()

    def bug(self) -> None:
        self.run(slice(2, 6))

    def twin(self) -> None:
        self.run(slice(4, 8))
