"""The connectors that move a layer at a time, with the classes of real ported releases."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = pytest.mark.network
pytest.importorskip("torch", reason="the device needs torch")

# Each release in one mode here; in the other one it is more of the same.
BENCHES = [
    pytest.param("0.5.6", True, id="0.5.6-lazy"),
    pytest.param("0.3.9.post2", False, id="0.3.9.post2-eager"),
    pytest.param("0.5.6", False, id="0.5.6-eager", marks=pytest.mark.slow),
    pytest.param("0.3.9.post2", True, id="0.3.9.post2-lazy", marks=pytest.mark.slow),
]
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


@pytest.mark.parametrize(("release", "lazy"), BENCHES)
@pytest.mark.parametrize("check", CHECKS)
def test_layers(checked: Callable[..., None], check: str, release: str, lazy: bool) -> None:
    checked("layerwise_checks.py", check, release, PT_HPU_LAZY_MODE=str(int(lazy)))


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
