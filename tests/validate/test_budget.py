"""porter.validate.budget: what a way took, in words."""

from __future__ import annotations

import pytest

from porter.validate.budget import described, excesses, worst

ALL = {"syncs": 1, "launches": 32, "bytes": 1.0, "graphs": 4, "padding": 0.984}


def test_figures_in_words() -> None:
    assert described(ALL) == (
        "1 sync, 32 launches, 1.00 x the bytes, 4 graphs, 0.98 blocks of padding"
    )
    assert described({}) == ""


@pytest.mark.parametrize("name", ALL)
def test_a_limit_may_be_reached_but_not_passed(name: str) -> None:
    assert list(excesses(ALL, {name: ALL[name]})) == []
    (found,) = excesses(ALL, {name: ALL[name] - 0.001})
    assert f"{ALL[name] - 0.001:g} allowed" in found[0]
    assert found[1]


def test_an_excess_that_two_decimals_hide_shows() -> None:
    ((what, _),) = excesses({"bytes": 1.0204}, {"bytes": 1.02})
    assert what == "1.0204 x the bytes, 1.02 allowed"


def test_what_is_not_limited_or_not_measured_is_not_judged() -> None:
    assert list(excesses({"syncs": 99}, {})) == []
    assert list(excesses({}, {"graphs": 0})) == []


def test_the_worst_of_several() -> None:
    several = [{"syncs": 2, "launches": 8}, {"syncs": 33, "bytes": 1.0}, {}]
    assert worst(several) == {"syncs": 33, "launches": 8, "bytes": 1.0}
