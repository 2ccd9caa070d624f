"""Blending with the classes of real ported releases: the connector, and what is computed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = pytest.mark.network
pytest.importorskip("torch", reason="the device needs torch")


@pytest.mark.parametrize("check", ["references", "budget", "faults", "refusals"])
def test_layers(checked_in_a_mode: Callable[..., None], check: str) -> None:
    checked_in_a_mode("blending_checks.py", check)


@pytest.mark.parametrize("check", ["sees", "blends", "tracks", "faults", "budget", "refusals"])
def test_blender(checked_in_a_mode: Callable[..., None], check: str) -> None:
    checked_in_a_mode("blender_checks.py", check)
