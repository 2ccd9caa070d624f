"""Collectives between two and between four processes, on the backend that Gaudi code names."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from porter.emulator.build import build

torch = pytest.importorskip("torch")

PROGRAM = Path(__file__).with_name("hccl_ranks.py")
PARTS = [PROGRAM.with_name(f"hccl_{part}.py") for part in ("checks", "training", "refusals")]
NAMES = [
    *(
        node.name
        for part in PARTS
        for node in ast.parse(part.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.decorator_list
    ),
    "both_backends",
    "environment",
    "no_rank_stopped",
]


@pytest.fixture(scope="module", params=[2, 4])
def verdicts(request: pytest.FixtureRequest) -> dict[str, str]:
    """What came of each check. One launch does them all: starting the ranks is what takes long."""
    build(torch)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", PROGRAM, str(request.param)],
        env={**os.environ, "GLOO_SOCKET_IFNAME": "lo"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("name", NAMES)
def test_hccl(verdicts: dict[str, str], name: str) -> None:
    assert verdicts.get(name, "not run") == ""


def test_every_check_is_asked_for(verdicts: dict[str, str]) -> None:
    assert set(verdicts) <= set(NAMES)
