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


def suite(folder: Path, *options: str, code: str = SUITE) -> str:
    (folder / "test_it.py").write_text(code)
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


MARKED = """
import pytest
import torch, habana_frameworks.torch

def race():
    x = torch.ones(4, device="hpu")
    with torch.hpu.stream(torch.hpu.Stream()):
        x.add_(1)

def test_a_fault():
    race()

@pytest.mark.hpu_reports("stream-race", "freed-in-flight")
def test_an_expected_fault():
    race()

@pytest.mark.hpu_reports("stream-race")
def test_a_fault_that_did_not_come():
    pass

@pytest.mark.hpu_budget(launches=1, h2d=1, h2d_bytes=16)
def test_within_the_budget(hpu_recording):
    torch.ones(4).to("hpu").sum().item()
    assert hpu_recording.syncs == 1

@pytest.mark.hpu_budget(h2d_bytes=15)
def test_beyond_the_budget():
    torch.ones(4).to("hpu")

@pytest.mark.hpu_budget(speed=1)
def test_no_such_budget():
    pass

def test_the_recording_is_that_of_the_test(prepared, hpu_recording):
    assert hpu_recording.copies["h2d"].count == 0

@pytest.fixture
def prepared(hpu_recording):
    torch.ones(4).to("hpu")
"""


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> str:
    return suite(tmp_path_factory.mktemp("marked"), "--hpu-emulator", "-rA", code=MARKED)


@pytest.mark.parametrize(
    "test",
    ["an_expected_fault", "within_the_budget", "the_recording_is_that_of_the_test"],
)
def test_passes(marked: str, test: str) -> None:
    assert f"PASSED test_it.py::test_{test}\n" in marked


@pytest.mark.parametrize(
    ("test", "why"),
    [
        ("a_fault", "test_it.py:8: stream-race: aten::add_.Tensor on stream 1 writes"),
        ("a_fault_that_did_not_come", "hpu_reports: stream-race was not reported"),
        ("beyond_the_budget", "hpu_budget: 16 h2d_bytes, 15 allowed"),
        ("no_such_budget", "hpu_budget: no speed; there are graphs,"),
    ],
)
def test_fails(marked: str, test: str, why: str) -> None:
    assert f"FAILED test_it.py::test_{test}" in marked
    assert why in marked


def test_what_checks_nothing_is_skipped(tmp_path: Path) -> None:
    code = MARKED.replace("import torch, habana_frameworks.torch", "")
    assert "6 skipped" in suite(tmp_path, "-k", "not test_a_fault or did_not", code=code)
