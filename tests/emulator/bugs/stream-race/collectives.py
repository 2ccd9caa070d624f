"""A collective that was not waited for; one process is enough to see it."""

from __future__ import annotations

import habana_frameworks.torch.distributed.hccl  # noqa: F401
import torch
import torch.distributed as dist


def alone() -> None:
    dist.init_process_group("hccl", store=dist.HashStore(), rank=0, world_size=1)


class ReducedBehindTheBack:
    """With async_op the result is there for the streams that have waited for the work."""

    def bug(self) -> None:
        alone()
        partial = torch.ones(4, device="hpu")
        work = dist.all_reduce(partial, async_op=True)
        partial * 0.5  # here
        work.wait()

    def twin(self) -> None:
        alone()
        partial = torch.ones(4, device="hpu")
        work = dist.all_reduce(partial, async_op=True)
        work.wait()
        assert (partial * 0.5).sum().item() == 2


class BufferRefilledWhileItIsSent:
    """Who broadcasts may read the tensor on, and must not write it."""

    def bug(self) -> None:
        alone()
        weights, gathered = torch.ones(4, device="hpu"), torch.zeros(4, device="hpu")
        work = dist.all_gather_into_tensor(gathered, weights, async_op=True)
        weights.zero_()  # here
        work.wait()

    def twin(self) -> None:
        alone()
        weights, gathered = torch.ones(4, device="hpu"), torch.zeros(4, device="hpu")
        work = dist.all_gather_into_tensor(gathered, weights, async_op=True)
        assert weights.sum().item() == 4
        work.wait()
        weights.zero_()
        assert gathered.sum().item() == 4


class WaitedForOnAnotherStream:
    """wait() holds up the stream that calls it, and no other."""

    def run(self, side: torch.hpu.Stream, user: torch.hpu.Stream) -> None:
        alone()
        partial = torch.ones(4, device="hpu")
        work = dist.all_reduce(partial, async_op=True)
        with torch.hpu.stream(side):
            work.wait()
        with torch.hpu.stream(user):
            partial.sum()  # here
        torch.hpu.synchronize()

    def bug(self) -> None:
        self.run(torch.hpu.Stream(), torch.hpu.current_stream())

    def twin(self) -> None:
        self.run(torch.hpu.current_stream(), torch.hpu.current_stream())
