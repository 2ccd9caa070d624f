"""hpu/recorded: notes come back in order, and none before the work that it was made behind."""

from __future__ import annotations

import time

import pytest


@pytest.fixture
def recorded(hpu):
    module = hpu("recorded")
    module.drain_recorded_events(), module.drain_recorded_completions()
    return module


def test_notes_come_back_once_and_in_order(recorded):
    before = time.time()
    recorded.record_event_on_stream(0, "start", "a", {"device": "hpu"}, {"count": 1})
    recorded.record_event_on_stream(0, "end", "a", {}, {})
    recorded.record_completion_on_stream(0, "finish", b"1")
    first, second = recorded.drain_recorded_events()
    assert (first[:2], first[3:]) == (("start", "a"), ({"device": "hpu"}, {"count": 1}))
    assert second[0] == "end"
    assert before <= first[2] <= second[2]
    assert recorded.drain_recorded_completions() == [("finish", b"1")]
    assert recorded.drain_recorded_events() == recorded.drain_recorded_completions() == []


def test_none_is_handed_out_before_its_work_is_done_nor_overtakes(recorded, monkeypatch):
    import torch  # noqa: PLC0415

    done = []

    class Event:
        def record(self):
            self.number = len(made)
            made.append(self)

        def query(self):
            return self.number in done

    made: list[Event] = []
    monkeypatch.setattr(torch.hpu, "Event", Event)
    for kind in ("first", "second", "third"):
        recorded.record_completion_on_stream(0, kind, b"")
    done += [1, 2]
    assert recorded.drain_recorded_completions() == []
    done.append(0)
    assert [kind for kind, _ in recorded.drain_recorded_completions()] == [
        "first",
        "second",
        "third",
    ]
