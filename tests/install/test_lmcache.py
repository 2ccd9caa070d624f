"""The flagship into an environment that has upstream's release."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from porter.cli import main

RELEASE = "0.3.9.post2"


@pytest.mark.network
def test_lmcache_is_replaced_and_comes_back(
    place: Any, porter: Callable[..., Result], tmp_path: Path
) -> None:
    """Without its requirements, which both releases complain of alike."""
    port = ["port", f"lmcache=={RELEASE}", "-o", str(tmp_path / "out"), "--level", "static"]
    assert CliRunner().invoke(main, port).exit_code == 0
    wheel = next((tmp_path / "out").glob("*.whl"))
    done = place.pip("install", "--no-deps", "--quiet", f"lmcache=={RELEASE}")
    assert done.returncode == 0, done.stderr
    before, complaints = place.files(), place.check()

    result = porter(wheel)
    assert result.exit_code == 0, result.output
    assert f"kept lmcache {RELEASE}" in result.output
    ours = {line.replace(f"{RELEASE}+hpu.1", RELEASE) for line in place.check()}
    assert ours <= complaints
    assert not list((place.packages / "lmcache").rglob("*.so"))

    result = porter("--uninstall")
    assert result.exit_code == 0, result.output
    assert place.files() == before

    # As an operator does it who has not read of `porter install`.
    assert place.pip("install", "--no-deps", "--quiet", wheel).returncode == 0
    result = porter("--uninstall")
    assert f"installed lmcache {RELEASE} from the package index" in result.output
    assert list((place.packages / "lmcache").rglob("*.so"))
