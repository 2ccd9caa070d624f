"""``scripts/check_upstream_tests``: what counts as passed, and that it says no."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "check_upstream_tests"
MODULE = """\
import os

import pytest


@pytest.fixture
def broken():
    yield
    raise OSError("while it is taken down")


def test_passes():
    pass


def test_fails():
    assert 1 == 2, "numbers"


def test_skips():
    pytest.skip("no device")


def test_breaks(broken):
    pass


def test_is_reported():
    import torch

    assert not torch.cuda.is_available()


def test_kills():
    os._exit(9)


def test_never_runs():
    pass
"""


@pytest.fixture(scope="module")
def script(load_script: Callable[[str], ModuleType]) -> ModuleType:
    return load_script("check_upstream_tests")


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, SCRIPT, *arguments]
    return subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_only_what_has_passed_to_its_end_counts(script: ModuleType, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the device needs torch")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_some.py").write_text(MODULE)
    row = script.Row("test_some.py", 7)
    row.fill(script.journal(tmp_path, ["test_some.py"], {}, 120, []))
    assert row.passed == 1
    assert row.why == {
        "test_fails": "AssertionError: numbers",
        "test_skips": "Skipped: no device",
        "test_breaks": "OSError: while it is taken down",
        "test_is_reported": row.why["test_is_reported"],
        "test_kills": "it did not come to an end",
        "test_never_runs": "it did not come to an end",
    }
    assert "cuda-probe" in row.why["test_is_reported"]
    assert [line.split() for line in script.table([row])][:3] == [
        ["collected", "passed", "failed", "skipped"],
        ["test_some.py", "7", "1", "5", "1"],
        ["1", "of", "7", "passed,", "14.3", "%"],
    ]


def test_more_than_was_counted_is_not_more(script: ModuleType) -> None:
    row = script.Row("test_some.py", 1)
    row.fill({"test": f"test_some.py::test_{n}", "outcome": "passed", "why": ""} for n in "ab")
    assert row.passed == 1


def test_a_file_without_tests_cannot_be_counted(script: ModuleType, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the device needs torch")
    (tmp_path / "upstream" / "tests").mkdir(parents=True)
    (tmp_path / "upstream" / "tests" / "test_none.py").write_text("")
    with pytest.raises(script.PorterError, match=r"test_none.py cannot be counted: "):
        script.count(tmp_path, ["test_none.py"], {})


@pytest.mark.parametrize("arguments", [("newest",), ("0.3.9.post2", "--timeout", "soon")])
def test_bad_usage(arguments: tuple[str, ...]) -> None:
    run = call(*arguments)
    assert run.returncode == 2
    assert "Traceback" not in run.stderr


@pytest.mark.network
def test_upstreams_tests_of_the_connectors_pass() -> None:
    pytest.importorskip("torch", reason="the device needs torch")
    run = call("0.3.9.post2", "v1/test_gpu_connector.py")
    assert "Traceback" not in run.stderr
    _, row, total, *failures = run.stdout.splitlines()
    assert row.split()[:2] == ["v1/test_gpu_connector.py", "12"], run.stdout + run.stderr
    assert int(re.match(r"\d+", total)[0]) >= 11, failures
