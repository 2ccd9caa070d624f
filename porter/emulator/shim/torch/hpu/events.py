"""``torch.hpu.Event``."""

from __future__ import annotations

from typing import Any

import torch

from porter.emulator.build import load

_device = load()


class Event(torch.Event):
    """A point in a stream. It has no ``blocking`` and no ``interprocess``: neither has Gaudi's."""

    def __new__(cls, enable_timing: bool = False) -> Event:
        event: Event = super().__new__(cls, "hpu", enable_timing=enable_timing)
        event._timed = enable_timing
        return event

    @property
    def hpu_event(self) -> int:
        return int(self.event_id)

    def record(self, stream: Any = None) -> None:
        super().record(_or_current(stream))

    def wait(self, stream: Any = None) -> None:
        super().wait(_or_current(stream))

    def query(self) -> bool:
        return not self.event_id or bool(super().query())

    def synchronize(self) -> None:
        if self.event_id:
            super().synchronize()

    def elapsed_time(self, end_event: Event) -> float:
        """Milliseconds. Raises RuntimeError unless both are timed and recorded."""
        if not (self._timed and end_event._timed):
            raise RuntimeError("both events need enable_timing=True")
        return float(_device.elapsed_ms(self.event_id, end_event.event_id))


def _or_current(stream: Any) -> Any:
    from .streams import current_stream  # noqa: PLC0415

    return current_stream() if stream is None else stream
