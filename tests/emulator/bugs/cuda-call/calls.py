"""Calls of CUDA: they raise, and somebody may catch it."""

from __future__ import annotations

import contextlib

import torch


class MovedToCuda:
    raises = AssertionError

    def bug(self) -> None:
        torch.arange(4, dtype=torch.int32).cuda()  # here

    def twin(self) -> None:
        torch.arange(4, dtype=torch.int32).hpu()


class SynchronizeThatNobodyMisses:
    """The wait is lost with the error."""

    def bug(self) -> None:
        with contextlib.suppress(Exception):
            torch.cuda.synchronize()  # here

    def twin(self) -> None:
        with contextlib.suppress(Exception):
            torch.hpu.synchronize()


class AllocatedOnCuda:
    raises = AssertionError

    def bug(self) -> None:
        torch.zeros(4, device="cuda")  # here

    def twin(self) -> None:
        torch.zeros(4, device="hpu")


class StreamOfCuda:
    raises = RuntimeError

    def bug(self) -> None:
        stream = torch.cuda.Stream()  # here
        stream.synchronize()

    def twin(self) -> None:
        stream = torch.hpu.Stream()
        stream.synchronize()
