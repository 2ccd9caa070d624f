"""Notes on a stream, handed out once the work before them is done.

Upstream has the driver call back, by the address of a stream. Gaudi does neither: a note goes on
the current stream, and when its work is done is found out by who asks for it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from threading import Lock
from typing import Generic, TypeVar

import torch

Note = TypeVar("Note")


class _Notes(Generic[Note]):
    def __init__(self) -> None:
        self._waiting: deque[tuple[torch.hpu.Event, Note]] = deque()
        self._guard = Lock()

    def record(self, note: Note) -> None:
        event = torch.hpu.Event()
        with self._guard:
            event.record()
            self._waiting.append((event, note))

    def drain(self) -> list[Note]:
        """Those that are done, up to the first that is not: none overtakes another."""
        done = []
        with self._guard:
            while self._waiting and self._waiting[0][0].query():
                done.append(self._waiting.popleft()[1])
        return done


_events: _Notes[tuple[str, str, Mapping[str, str], Mapping[str, int]]] = _Notes()
_completions: _Notes[tuple[str, bytes]] = _Notes()


def record_event_on_stream(
    stream: int,
    event_type_name: str,
    session_id: str,
    str_metadata: Mapping[str, str],
    int_metadata: Mapping[str, int],
) -> None:
    """Note an event. ``stream`` is an address, and not looked at."""
    _events.record((event_type_name, session_id, str_metadata, int_metadata))


def drain_recorded_events() -> list[tuple[str, str, float, dict[str, str], dict[str, int]]]:
    """(type, session, time, metadata of strings, of numbers); the time is that of this call."""
    now = time.time()
    return [
        (name, session, now, dict(strings), dict(numbers))
        for name, session, strings, numbers in _events.drain()
    ]


def record_completion_on_stream(stream: int, kind: str, payload: bytes) -> None:
    """Note a transfer, which is complete once the work before the note is done."""
    _completions.record((kind, payload))


def drain_recorded_completions() -> list[tuple[str, bytes]]:
    """(kind, payload)"""
    return _completions.drain()
