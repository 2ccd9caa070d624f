"""Which calls a rule is about."""

from __future__ import annotations

import ast

import pytest

from porter.rulebook import Arguments


def call(text: str) -> ast.Call:
    parsed = ast.parse(text, mode="eval").body
    assert isinstance(parsed, ast.Call)
    return parsed


DEVICES = Arguments(parameters=("module", "device_ids"), given=("device_ids",))
BACKEND = Arguments(
    parameters=("model",), lacking=("backend",), values={"backend": ("inductor", "cudagraphs")}
)


@pytest.mark.parametrize(
    ("text", "concerned"),
    [
        ("f(m, device_ids=[0])", True),
        ("f(m, [0])", True),
        ("f(m)", False),
        ("f(m, None)", False),
        ("f(m, device_ids=None)", False),
        ("f(m, **options)", False),
    ],
)
def test_calls_that_give_an_argument(text: str, concerned: bool) -> None:
    assert DEVICES.concern(call(text)) is concerned


@pytest.mark.parametrize(
    ("text", "concerned"),
    [
        ("f(m)", True),
        ("f(m, backend='inductor')", True),
        ("f(m, backend=None)", True),
        ("f(m, backend='eager')", False),
        ("f(m, backend=chosen)", False),
    ],
)
def test_calls_that_lack_one_or_give_a_text(text: str, concerned: bool) -> None:
    assert BACKEND.concern(call(text)) is concerned


def test_what_is_no_call_lacks_an_argument_and_gives_none() -> None:
    assert BACKEND.concern(None)
    assert not DEVICES.concern(None)
    assert Arguments().concern(None)
