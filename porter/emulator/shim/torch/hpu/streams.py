"""``torch.hpu.Stream`` and the current one of each thread."""

from __future__ import annotations

from typing import Any

import torch

from porter.emulator.build import load

from .events import Event

_device = load()
_HPU = torch.device("hpu", 0)
_TYPE = 15  # c10::DeviceType::HPU


class Stream(torch.Stream):
    """``device`` and ``priority`` are accepted and have no effect, as on Gaudi."""

    def __new__(cls, device: Any = None, priority: int = 0, **kwargs: Any) -> Stream:
        number = kwargs.get("stream_id", kwargs.get("stream_ptr"))
        if number is None:
            number = _device.new_stream()
        made: Stream = super().__new__(cls, stream_id=number, device_index=0, device_type=_TYPE)
        return made

    @property
    def hpu_stream(self) -> int:
        return int(self.stream_id)

    @property
    def device_index(self) -> torch.device:
        """The device itself, as in the bridge."""
        return _HPU

    @property
    def priority(self) -> int:
        return 0

    @staticmethod
    def priority_range() -> tuple[int, int]:
        return 0, 0

    def id(self) -> int:
        return int(self.stream_id)

    # The base class takes nothing but torch.Event itself; events take any stream.

    def record_event(self, event: Any = None) -> Any:
        event = Event() if event is None else event
        event.record(self)
        return event

    def wait_event(self, event: Any) -> None:
        event.wait(self)

    def wait_stream(self, stream: Any) -> None:
        self.wait_event(stream.record_event())


class StreamContext:
    """Makes a stream the current one of the thread for the length of a ``with``; None: nothing."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def __enter__(self) -> None:
        if self.stream is not None:
            self._previous = current_stream()
            set_stream(self.stream)

    def __exit__(self, *_: object) -> None:
        if self.stream is not None:
            set_stream(self._previous)


def stream(stream: Any) -> StreamContext:
    return StreamContext(stream)


def current_stream(device: Any = None) -> Stream:
    return Stream(stream_id=_device.current_stream())


def default_stream(device: Any = None) -> Stream:
    return Stream(stream_id=_device.default_stream())


def set_stream(stream: Any) -> None:
    if stream is not None:
        _device.set_stream(stream.stream_id)


def record_stream(self: torch.Tensor, stream: Any) -> None:
    """``Tensor.record_stream`` as a function."""
    self.record_stream(stream)
