"""hpu/notifier: descriptors are woken, again and again, until they are taken off."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

PATIENCE = 30  # seconds; only a broken notifier needs them


@pytest.fixture
def notifier(hpu) -> Iterator[ModuleType]:
    module = hpu("notifier")
    yield module.PeriodicEventNotifier
    module.PeriodicEventNotifier.shutdown()


@pytest.fixture(params=["pipe", "eventfd"])
def ends(request: pytest.FixtureRequest) -> Iterator[tuple[int, int]]:
    """The end to wait at, and the one to register."""
    if request.param == "eventfd":
        end = os.eventfd(0, os.EFD_NONBLOCK)
        yield end, end
        os.close(end)
        return
    read, write = os.pipe()
    os.set_blocking(write, False)
    yield read, write
    os.close(read)
    os.close(write)


def woken(end: int, seconds: float = PATIENCE) -> bytes:
    ready, _, _ = select.select([end], [], [], seconds)
    return os.read(end, 8) if ready else b""


def test_it_wakes_until_it_is_told_to_stop(notifier: Any, ends: tuple[int, int]) -> None:
    wait, signal = ends
    notifier.create(1, wait == signal)
    notifier.get().register_fd(signal)
    first = woken(wait)
    assert int.from_bytes(first, "little") >= 1
    assert woken(wait)
    notifier.get().set_interval_ms(0)
    assert woken(wait)
    notifier.get().unregister_fd(signal)
    notifier.get().unregister_fd(signal)
    another, write = os.pipe()
    notifier.get().register_fd(write)
    next_round(another)  # the one that was under way is over
    empty(wait)
    next_round(another)
    next_round(another)
    assert not woken(wait, 0)
    notifier.shutdown()
    os.close(another)
    os.close(write)


def empty(end: int) -> None:
    while woken(end, 0):
        pass


def next_round(end: int) -> None:
    empty(end)
    assert woken(end)


def test_there_is_one(notifier: Any) -> None:
    assert notifier.get() is None
    notifier.shutdown()
    notifier.create(1000, True)
    first = notifier.get()
    notifier.create(5, False)
    assert notifier.get() is first
    notifier.shutdown()
    assert notifier.get() is None


def test_a_closed_descriptor_does_not_stop_the_others(notifier: Any) -> None:
    closed, write = os.pipe()
    os.close(closed)
    read, good = os.pipe()
    notifier.create(1, False)
    notifier.get().register_fd(write)
    notifier.get().register_fd(good)
    assert woken(read) and woken(read)
    notifier.shutdown()
    for end in (write, read, good):
        os.close(end)
