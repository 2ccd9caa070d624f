"""A stream is not told to wait, or is told to wait for the wrong thing."""

from __future__ import annotations

import threading

import torch


class NoWaitStream:
    def bug(self) -> None:
        hidden = torch.ones(4, device="hpu")
        side = torch.hpu.Stream()
        with torch.hpu.stream(side):
            hidden * 2  # here
        torch.hpu.synchronize()

    def twin(self) -> None:
        hidden = torch.ones(4, device="hpu")
        side = torch.hpu.Stream()
        side.wait_stream(torch.hpu.current_stream())
        with torch.hpu.stream(side):
            hidden * 2
        torch.hpu.synchronize()


class ResultUsedWithoutWaitingBack:
    """To leave a side stream is not to wait for it."""

    def bug(self) -> None:
        hidden = torch.ones(4, device="hpu")
        side = torch.hpu.Stream()
        side.wait_stream(torch.hpu.current_stream())
        with torch.hpu.stream(side):
            doubled = hidden * 2
        doubled + 1  # here
        torch.hpu.synchronize()

    def twin(self) -> None:
        hidden = torch.ones(4, device="hpu")
        side = torch.hpu.Stream()
        side.wait_stream(torch.hpu.current_stream())
        with torch.hpu.stream(side):
            doubled = hidden * 2
        torch.hpu.current_stream().wait_stream(side)
        assert (doubled + 1).tolist() == [3] * 4
        torch.hpu.synchronize()


class WaitTheWrongWayRound:
    def bug(self) -> None:
        hidden = torch.ones(4, device="hpu")
        side = torch.hpu.Stream()
        torch.hpu.current_stream().wait_stream(side)
        with torch.hpu.stream(side):
            hidden.sum()  # here
        torch.hpu.synchronize()

    def twin(self) -> None:
        hidden = torch.ones(4, device="hpu")
        side = torch.hpu.Stream()
        side.wait_stream(torch.hpu.current_stream())
        with torch.hpu.stream(side):
            hidden.sum()
        torch.hpu.synchronize()


class WaitBeforeTheWork:
    """The wait covers what was asked for before it, and the last layer came after."""

    def bug(self) -> None:
        layers = [torch.zeros(4, device="hpu") for _ in range(2)]
        store = torch.hpu.Stream()
        store.wait_stream(torch.hpu.current_stream())
        layers[1].add_(1)
        with torch.hpu.stream(store):
            for layer in layers:
                layer.to("cpu", non_blocking=True)  # here
        torch.hpu.synchronize()

    def twin(self) -> None:
        layers = [torch.zeros(4, device="hpu") for _ in range(2)]
        store = torch.hpu.Stream()
        layers[1].add_(1)
        store.wait_stream(torch.hpu.current_stream())
        with torch.hpu.stream(store):
            for layer in layers:
                layer.to("cpu", non_blocking=True)
        torch.hpu.synchronize()


class EventNeverRecorded:
    """To wait for an event that nobody recorded is to wait for nothing."""

    def bug(self) -> None:
        ready = torch.hpu.Event()
        hidden = torch.ones(4, device="hpu")
        side = torch.hpu.Stream()
        side.wait_event(ready)
        with torch.hpu.stream(side):
            hidden.sum()  # here
        torch.hpu.synchronize()

    def twin(self) -> None:
        ready = torch.hpu.Event()
        hidden = torch.ones(4, device="hpu")
        ready.record()
        side = torch.hpu.Stream()
        side.wait_event(ready)
        with torch.hpu.stream(side):
            hidden.sum()
        torch.hpu.synchronize()


class EventOfTheOtherStream:
    """``record()`` takes the current stream, and that is no longer the one that worked."""

    def bug(self) -> None:
        hidden = torch.zeros(4, device="hpu")
        side, ready = torch.hpu.Stream(), torch.hpu.Event()
        side.wait_stream(torch.hpu.current_stream())
        with torch.hpu.stream(side):
            hidden.add_(1)
        ready.record()
        ready.wait()
        hidden.sum()  # here
        torch.hpu.synchronize()

    def twin(self) -> None:
        hidden = torch.zeros(4, device="hpu")
        side, ready = torch.hpu.Stream(), torch.hpu.Event()
        side.wait_stream(torch.hpu.current_stream())
        with torch.hpu.stream(side):
            hidden.add_(1)
            ready.record()
        ready.wait()
        assert hidden.sum().item() == 4
        torch.hpu.synchronize()


class UpdateUnderACopy:
    """The next step updates in place what the copy of the last one still reads."""

    def bug(self) -> None:
        tokens = torch.zeros(4, dtype=torch.int32, device="hpu")
        output = torch.hpu.Stream()
        output.wait_stream(torch.hpu.current_stream())
        with torch.hpu.stream(output):
            host = tokens.to("cpu", non_blocking=True)
        tokens.add_(1)  # here
        output.synchronize()
        assert host.shape == (4,)

    def twin(self) -> None:
        """Two reads need no order, and an update that takes other memory races with nothing."""
        tokens = torch.zeros(4, dtype=torch.int32, device="hpu")
        output = torch.hpu.Stream()
        output.wait_stream(torch.hpu.current_stream())
        with torch.hpu.stream(output):
            host = tokens.to("cpu", non_blocking=True)
        following = tokens.add(1)
        output.synchronize()
        assert host.tolist() == [0] * 4
        assert following.tolist() == [1] * 4


class DoubleBufferOnTheDevice:
    """Compute lets go of a buffer when it is done with it, not when it has got the next one."""

    def steps(self, waits: bool) -> None:
        load, compute = torch.hpu.Stream(), torch.hpu.current_stream()
        buffers = [torch.zeros(4, device="hpu") for _ in range(2)]
        used = [torch.hpu.Event() for _ in buffers]
        torch.hpu.synchronize()
        for step in range(3):
            buffer = buffers[step % 2]
            with torch.hpu.stream(load):
                if waits:
                    load.wait_event(used[step % 2])
                buffer.fill_(step)  # here
            compute.wait_stream(load)
            buffer.sum()
            used[step % 2].record()
        torch.hpu.synchronize()

    def bug(self) -> None:
        self.steps(waits=False)

    def twin(self) -> None:
        self.steps(waits=True)


class WorkerThread:
    """Each thread has a current stream of its own; to join a thread is to wait for no stream."""

    def run(self, kv: torch.Tensor, load: torch.hpu.Stream) -> None:
        def fill() -> None:
            with torch.hpu.stream(load):
                kv.fill_(1)

        worker = threading.Thread(target=fill)
        worker.start()
        worker.join(30)

    def bug(self) -> None:
        kv, load = torch.zeros(4, device="hpu"), torch.hpu.Stream()
        torch.hpu.synchronize()
        self.run(kv, load)
        kv.sum()  # here
        torch.hpu.synchronize()

    def twin(self) -> None:
        kv, load = torch.zeros(4, device="hpu"), torch.hpu.Stream()
        torch.hpu.synchronize()
        self.run(kv, load)
        torch.hpu.current_stream().wait_stream(load)
        assert kv.sum().item() == 4
        torch.hpu.synchronize()


class GradientsOfAnotherStream:
    """backward runs where forward ran, and only who called it has waited for it."""

    def bug(self) -> None:
        weight = torch.ones(4, device="hpu", requires_grad=True)
        train = torch.hpu.Stream()
        train.wait_stream(torch.hpu.current_stream())
        with torch.hpu.stream(train):
            (weight * 2).sum().backward()
        weight.grad.norm()  # here
        torch.hpu.synchronize()

    def twin(self) -> None:
        weight = torch.ones(4, device="hpu", requires_grad=True)
        train = torch.hpu.Stream()
        train.wait_stream(torch.hpu.current_stream())
        with torch.hpu.stream(train):
            (weight * 2).sum().backward()
        torch.hpu.current_stream().wait_stream(train)
        assert weight.grad.norm().item() == 4
        torch.hpu.synchronize()
