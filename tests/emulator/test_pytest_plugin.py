"""``pytest --hpu-emulator``, run on a small suite of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

SUITE = """
import subprocess, sys

def test_device():
    import torch, habana_frameworks.torch
    assert torch.ones(1, device="hpu").device.type == "hpu"

def test_child():
    code = "import torch, habana_frameworks.torch; torch.ones(1, device='hpu')"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
"""


def suite(folder: Path, *options: str) -> str:
    (folder / "test_it.py").write_text(SUITE)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return run.stdout + run.stderr


def test_off_unless_asked_for(tmp_path: Path) -> None:
    assert "2 failed" in suite(tmp_path)


def test_on(tmp_path: Path) -> None:
    assert "2 passed" in suite(tmp_path, "--hpu-emulator")


def test_a_clear_line_where_it_cannot_start(tmp_path: Path) -> None:
    (tmp_path / "habana_frameworks").mkdir()
    (tmp_path / "habana_frameworks" / "__init__.py").touch()
    assert "ERROR: --hpu-emulator:" in suite(tmp_path, "--hpu-emulator")
