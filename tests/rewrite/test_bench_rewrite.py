"""``scripts/bench_rewrite``: the work is done, each figure is held against its limit."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "bench_rewrite"


@pytest.fixture(scope="module")
def bench(load_script: Callable[[str], ModuleType]) -> ModuleType:
    return load_script("bench_rewrite")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.py").write_text("import torch\nx = torch.zeros(3).cuda()\n")
    (tmp_path / "b.py").write_text("x = 1\n")
    return tmp_path


@pytest.mark.parametrize(("work", "files"), [("parse", 2), ("scan", 1), ("rewrite", 1)])
def test_each_work_is_measured(bench: ModuleType, folder: Path, work: str, files: int) -> None:
    measured = bench.in_a_process(work, folder)
    assert measured["files"] == files
    assert measured["seconds"] > 0 and measured["memory"] > 1
    assert sorted(path.name for path in folder.iterdir()) == ["a.py", "b.py"]


def test_what_is_over_its_limit_is_said(
    bench: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    run = {"seconds": 1.0, "files": 2.0, "memory": 50.0}
    measured = {name: [run] for name in bench.WORK}
    measured["again"] = [{**run, "seconds": bench.AGAIN / 2}]
    assert bench.report(measured) == 0
    assert "over" not in capsys.readouterr().out
    measured["scan"] = [{**run, "seconds": bench.SCAN + 0.5}]
    assert bench.report(measured) == 1
    over = [line for line in capsys.readouterr().out.splitlines() if line.endswith("over")]
    assert [line.split("  ")[0] for line in over] == ["scan / ast.parse"]


@pytest.mark.parametrize("arguments", [["nowhere"], ["."], [".", "--rounds", "0"]])
def test_bad_usage(tmp_path: Path, arguments: list[str]) -> None:
    command = [sys.executable, SCRIPT, *arguments]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 2 and "error: " in run.stderr
