"""The connectors that move a layer at a time, with the classes of real ported releases."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = pytest.mark.network
pytest.importorskip("torch", reason="the device needs torch")

CHECKS = [
    "references",
    "several",
    "as_one_step",
    "let_go",
    "references_of_objects",
    "faults",
    "refusals",
    "budget",
]


@pytest.mark.parametrize("check", CHECKS)
def test_layers(checked_in_a_mode: Callable[..., None], check: str) -> None:
    checked_in_a_mode("layerwise_checks.py", check)


@pytest.mark.parametrize(
    "lazy", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["lazy", "eager"]
)
@pytest.mark.parametrize(
    ("check", "release"),
    # Before, upstream refuses layers one by one with MLA.
    [("round_trip", "0.3.9.post2"), ("round_trip", "0.5.6"), ("mla", "0.5.6")],
)
def test_engine(checked: Callable[..., None], check: str, release: str, lazy: bool) -> None:
    checked("engine_checks.py", check, release, PT_HPU_LAZY_MODE=str(int(lazy)))
