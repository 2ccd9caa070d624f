"""``porter emulate``."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("torch")


def emulate(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "porter", "emulate", "--", *command],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_and_its_children_have_the_device() -> None:
    code = "import torch, habana_frameworks.torch; print(torch.ones(1, device='hpu').device)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}])"
    assert emulate(sys.executable, "-c", f"{code}; {parent}").stdout == "hpu:0\nhpu:0\n"


@pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137)])
def test_the_exit_code_is_that_of_the_command(script: str, code: int) -> None:
    assert emulate("sh", "-c", script).returncode == code


def test_options_after_the_command_are_its_own() -> None:
    assert emulate("echo", "--help", "-x").stdout == "--help -x\n"


def test_no_such_command() -> None:
    run = emulate("no-such-command")
    assert (run.returncode, run.stderr) == (2, "porter: no-such-command: no such command\n")
