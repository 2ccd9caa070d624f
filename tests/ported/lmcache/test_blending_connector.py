"""Blending with the classes of real ported releases: the connector, and what is computed."""

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


@pytest.mark.parametrize(("release", "lazy"), BENCHES)
@pytest.mark.parametrize("check", ["references", "budget", "faults", "refusals"])
def test_layers(checked: Callable[..., None], check: str, release: str, lazy: bool) -> None:
    checked("blending_checks.py", check, release, PT_HPU_LAZY_MODE=str(int(lazy)))


@pytest.mark.parametrize(("release", "lazy"), BENCHES)
@pytest.mark.parametrize("check", ["sees", "blends", "tracks", "faults", "budget", "refusals"])
def test_blender(checked: Callable[..., None], check: str, release: str, lazy: bool) -> None:
    checked("blender_checks.py", check, release, PT_HPU_LAZY_MODE=str(int(lazy)))
