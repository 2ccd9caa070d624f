"""Blending with the classes of real ported releases: the connector, and what is computed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = pytest.mark.network
pytest.importorskip("torch", reason="the device needs torch")


@pytest.mark.parametrize("lazy", [True, False], ids=["lazy", "eager"])
@pytest.mark.parametrize("release", ["0.3.9.post2", "0.5.6"])
@pytest.mark.parametrize("check", ["references", "budget", "faults", "refusals"])
def test_layers(checked: Callable[..., None], check: str, release: str, lazy: bool) -> None:
    checked("blending_checks.py", check, release, PT_HPU_LAZY_MODE=str(int(lazy)))


@pytest.mark.parametrize("lazy", [True, False], ids=["lazy", "eager"])
@pytest.mark.parametrize("release", ["0.3.9.post2", "0.5.6"])
@pytest.mark.parametrize("check", ["sees", "blends", "tracks", "faults", "budget", "refusals"])
def test_blender(checked: Callable[..., None], check: str, release: str, lazy: bool) -> None:
    checked("blender_checks.py", check, release, PT_HPU_LAZY_MODE=str(int(lazy)))
