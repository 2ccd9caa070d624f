"""hpu/notes: what is noted is read once, in its order."""

from __future__ import annotations

import time


def test_events_carry_the_time_at_which_they_are_noted(hpu):
    notes = hpu("notes")
    texts = {"model": "m"}
    before = time.time()
    notes.record_event_on_stream(0, "store.start", "s", texts, {"tokens": 3})
    notes.record_event_on_stream(0, "store.end", "s", {}, {})
    texts["model"] = "another"
    (first, second) = notes.drain_recorded_events()
    assert first[:2] + first[3:] == ("store.start", "s", {"model": "m"}, {"tokens": 3})
    assert second[0] == "store.end"
    assert before <= first[2] <= second[2] <= time.time()
    assert notes.drain_recorded_events() == []


def test_completions_are_apart(hpu):
    notes = hpu("notes")
    notes.record_completion_on_stream(0, "finish_write", b"1")
    assert notes.drain_recorded_events() == []
    assert notes.drain_recorded_completions() == [("finish_write", b"1")]
    assert notes.drain_recorded_completions() == []
