"""Turning the device on, here and in child processes, and when that must be refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from porter.emulator.install import emulated

pytest.importorskip("torch")

INSTALL = "import porter.emulator; porter.emulator.install()"
DEVICE = "import torch, habana_frameworks.torch; print(torch.ones(1, device='hpu').device)"


def python(code: str, path: str | None = None, **variables: str) -> subprocess.CompletedProcess:
    variables = {**os.environ, **variables}
    if path is not None:
        variables["PYTHONPATH"] = os.pathsep.join([path, os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=False
    )


def last(run: subprocess.CompletedProcess) -> str:
    return run.stderr.strip().splitlines()[-1]


def test_twice_is_once() -> None:
    run = python(f"{INSTALL}; {INSTALL}; {DEVICE}")
    assert run.stdout == "hpu:0\n"


def test_without_it_there_is_no_bridge() -> None:
    assert "No module named 'habana_frameworks'" in python("import habana_frameworks").stderr


def test_the_bridge_is_marked_as_emulated() -> None:
    assert python(f"{INSTALL}; import habana_frameworks as h; print(h.__emulated__)").stdout == (
        "True\n"
    )


def test_too_late() -> None:
    run = python(f"import torch; torch.accelerator.current_accelerator(); {INSTALL}")
    assert "loaded too late" in last(run)


def test_beside_the_real_one(tmp_path: Path) -> None:
    (tmp_path / "habana_frameworks").mkdir()
    (tmp_path / "habana_frameworks" / "__init__.py").touch()
    run = python(INSTALL, path=str(tmp_path))
    assert "Intel's habana_frameworks is installed here" in last(run)


def test_children_have_it_whichever_they_import_first() -> None:
    for first in ("torch", "habana_frameworks.torch"):
        run = python(f"import {first}; {DEVICE}", **emulated(os.environ))
        assert run.stdout == "hpu:0\n", run.stderr


def test_a_child_that_needs_no_torch_pays_nothing() -> None:
    run = python("import sys; print('torch' in sys.modules)", **emulated(os.environ))
    assert run.stdout == "False\n"


def test_a_sitecustomize_that_was_there_runs_too(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("print('mine')")
    environment = emulated({**os.environ, "PYTHONPATH": f"{tmp_path}"})
    run = subprocess.run(
        [sys.executable, "-c", "pass"], env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout == "mine\n"


def test_the_switch_turns_the_children_off() -> None:
    run = python(DEVICE, **{**emulated(os.environ), "PORTER_EMULATE": "0"})
    assert run.returncode == 1


def test_the_environment_is_made_once() -> None:
    assert emulated(emulated({})) == emulated({})
    assert emulated({"PYTHONPATH": "here"})["PYTHONPATH"].endswith(f"{os.pathsep}here")
