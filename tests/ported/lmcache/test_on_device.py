"""The overlay's operations on the emulated device; a report of the sanitizer is a failure."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from porter.package.recipe import find_recipe

CHECKS = Path(__file__).with_name("device_checks.py")


@pytest.mark.parametrize("lazy", ["0", "1"], ids=["eager", "lazy"])
def test_tensors_on_the_device(tmp_path: Path, lazy: str) -> None:
    pytest.importorskip("torch", reason="the emulated device needs torch")
    report = tmp_path / "report.json"
    overlay = find_recipe("lmcache").overlays[0].folder
    emulate = [sys.executable, "-m", "porter", "emulate", "--report", report]
    done = subprocess.run(
        [*emulate, "--", sys.executable, CHECKS, overlay],
        env={**os.environ, "PT_HPU_LAZY_MODE": lazy},
        capture_output=True,
        text=True,
        timeout=570,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(report.read_text())["reports"] == []
