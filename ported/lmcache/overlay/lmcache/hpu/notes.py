"""Notes that upstream makes on a stream, to read once the work before them is done.

Gaudi calls no host function from a stream, and a stream is given as a number, which Gaudi's have
not. The operations here wait for the device before they return, so what is noted after one of
them is done when it is noted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Generic, TypeVar

Note = TypeVar("Note")
Event = tuple[str, str, float, dict[str, str], dict[str, int]]
"""Kind, session, seconds since 1970, texts and numbers about it."""


class _Notes(Generic[Note]):
    """Made by one thread, and read by another."""

    def __init__(self) -> None:
        self._notes: list[Note] = []
        self._guard = Lock()

    def make(self, note: Note) -> None:
        with self._guard:
            self._notes.append(note)

    def drain(self) -> list[Note]:
        """All that were made since the last time, in their order."""
        with self._guard:
            notes, self._notes = self._notes, []
        return notes


_events: _Notes[Event] = _Notes()
_completions: _Notes[tuple[str, bytes]] = _Notes()

drain_recorded_events: Callable[[], list[Event]] = _events.drain
drain_recorded_completions: Callable[[], list[tuple[str, bytes]]] = _completions.drain


def record_event_on_stream(
    cuda_stream_ptr: int,
    event_type_name: str,
    session_id: str,
    str_metadata: Mapping[str, str],
    int_metadata: Mapping[str, int],
) -> None:
    """Note an event with the time of now."""
    about = dict(str_metadata), dict(int_metadata)
    _events.make((event_type_name, session_id, time.time(), *about))


def record_completion_on_stream(cuda_stream_ptr: int, kind: str, payload: bytes) -> None:
    """Note that a transfer is complete; ``payload`` is for the one who reads it."""
    _completions.make((kind, payload))
