"""Memory goes back to the stream that it was allocated on, while another one uses it."""

from __future__ import annotations

import torch


class FreedByTheProducer:
    """Python drops the last name of a tensor that a side stream still reads."""

    def bug(self) -> None:
        kv = torch.ones(8, device="hpu")
        side = torch.hpu.Stream()
        side.wait_stream(torch.hpu.current_stream())
        with torch.hpu.stream(side):
            kv.sum()
        del kv  # here

    def twin(self) -> None:
        kv = torch.ones(8, device="hpu")
        side = torch.hpu.Stream()
        side.wait_stream(torch.hpu.current_stream())
        with torch.hpu.stream(side):
            kv.sum()
        kv.record_stream(side)
        del kv


class PrefetchedBatch:
    """A prefetcher allocates on its stream; the loop uses the batch on the default stream."""

    def bug(self) -> None:
        load = torch.hpu.Stream()
        for _ in range(2):
            with torch.hpu.stream(load):
                batch = torch.ones(8).to("hpu", non_blocking=True)
            torch.hpu.current_stream().wait_stream(load)
            batch.mul_(2)
            del batch  # here

    def twin(self) -> None:
        load = torch.hpu.Stream()
        for _ in range(2):
            with torch.hpu.stream(load):
                batch = torch.ones(8).to("hpu", non_blocking=True)
            torch.hpu.current_stream().wait_stream(load)
            batch.record_stream(torch.hpu.current_stream())
            batch.mul_(2)
            del batch


class TemporaryOfACopy:
    """The gathered chunk dies when the function returns; the copy to the host goes on."""

    def store(self, kv: torch.Tensor, host: torch.Tensor, store: torch.hpu.Stream) -> torch.Tensor:
        gathered = kv.index_select(0, torch.arange(2, device="hpu"))
        store.wait_stream(torch.hpu.current_stream())
        with torch.hpu.stream(store):
            host.copy_(gathered, non_blocking=True)
        return gathered

    def bug(self) -> None:
        kv, store = torch.ones(4, 2, device="hpu"), torch.hpu.Stream()
        self.store(kv, torch.empty(2, 2), store)  # here
        store.synchronize()

    def twin(self) -> None:
        kv, store = torch.ones(4, 2, device="hpu"), torch.hpu.Stream()
        kept = self.store(kv, torch.empty(2, 2), store)
        store.synchronize()
        del kept


class WorkspaceReplaced:
    """A bigger workspace takes the place of one that a side stream works in."""

    def bug(self) -> None:
        side = torch.hpu.Stream()
        workspace = torch.zeros(4, device="hpu")
        side.wait_stream(torch.hpu.current_stream())
        with torch.hpu.stream(side):
            workspace.add_(1)
        workspace = torch.zeros(8, device="hpu")  # here
        assert len(workspace) == 8

    def twin(self) -> None:
        side = torch.hpu.Stream()
        workspace = torch.zeros(4, device="hpu")
        side.wait_stream(torch.hpu.current_stream())
        with torch.hpu.stream(side):
            workspace.add_(1)
        torch.hpu.current_stream().wait_stream(side)
        workspace = torch.zeros(8, device="hpu")
        assert len(workspace) == 8
