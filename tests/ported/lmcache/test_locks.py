"""hpu/locks: a lock that counts and expires, by a clock of the test's own."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test


def test_it_counts_and_expires(hpu, monkeypatch):
    locks = hpu("locks")
    clock = [10**15]
    monkeypatch.setattr(locks, "monotonic_ns", lambda: clock[0])

    class Machine(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.lock = locks.TTLLock(2)
            self.holders, self.until = 0, 0

        @rule()
        def take(self) -> None:
            self.lock.lock()
            self.holders = 1 if clock[0] >= self.until else self.holders + 1
            self.until = clock[0] + 2 * 10**9

        @rule()
        def leave(self) -> None:
            self.lock.unlock()
            self.holders = max(0, self.holders - 1)

        @rule()
        def reset(self) -> None:
            self.lock.reset()
            self.holders = self.until = 0

        @rule(seconds=st.sampled_from([1, 1.999, 2]))
        def wait(self, seconds: float) -> None:
            clock[0] += int(seconds * 1000) * 10**6

        @invariant()
        def held(self) -> None:
            assert self.lock.is_locked() == (self.holders > 0 and clock[0] < self.until)

    run_state_machine_as_test(Machine)


def test_a_time_below_zero_is_refused(hpu):
    with pytest.raises(TypeError):
        hpu("locks").TTLLock(-1)
