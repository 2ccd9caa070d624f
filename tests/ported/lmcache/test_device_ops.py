"""Our operations behind upstream's platform layer, of real ported releases."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = pytest.mark.network
pytest.importorskip("torch", reason="the device needs torch")


@pytest.mark.parametrize("release", ["0.5.3", "0.5.6"])
@pytest.mark.parametrize("check", ["bound", "calls", "blocks"])
def test_the_operations(checked: Callable[..., None], check: str, release: str) -> None:
    checked("device_ops_checks.py", check, release)


def test_a_worker_of_the_multiprocess_mode(checked: Callable[..., None]) -> None:
    checked("device_ops_checks.py", "engine_driven", "0.5.6")
