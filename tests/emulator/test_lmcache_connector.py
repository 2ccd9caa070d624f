"""LMCache's own HPU connector, as its wheel has it: what ours are measured against, and a test of
the sanitizer on code that nobody wrote for it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from porter.emulator.build import build
from porter.sources.resolve import open_source

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.network

# Without one of these the connector's module does not import.
NEEDS = [
    "aiohttp",
    "cachetools",
    "cpuinfo",
    "numba",
    "numpy",
    "prometheus_client",
    "psutil",
    "requests",
    "sortedcontainers",
    "yaml",
]
PROGRAM = Path(__file__).with_name("lmcache_trials.py")


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    if missing := [name for name in NEEDS if find_spec(name) is None]:
        pytest.skip(f"lmcache 0.5.6 needs {', '.join(missing)}")
    tree = open_source("lmcache==0.5.6")
    build(torch)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", PROGRAM, tree.root, tmp_path_factory.mktemp("mutants")],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", ["original", "original, waited for"])
def test_kv_comes_back_bit_for_bit_and_nothing_is_reported(trials, name):
    assert trials[name] == {"error": None, "came back": True, "reports": []}


@pytest.mark.parametrize(
    ("name", "rule", "line"),
    [
        ("M1", "read-in-flight", "again.tensor.copy_(self.memory.tensor)"),
        ("M2", "mixed-devices", "index_copy_("),
        ("M3", "overwritten-in-flight", "self.memory.tensor.zero_()"),
        ("M4", "cuda-call", "torch.cuda.synchronize()"),
        ("M6", "stream-race", "index_copy_("),
    ],
)
def test_a_mutant_is_reported_at_its_line(trials, name, rule, line):
    assert trials[name]["reports"]
    for found, at in trials[name]["reports"]:
        assert found == rule
        assert line in at


def test_a_read_that_comes_too_early_reads_rubbish(trials):
    assert not trials["M1"]["came back"]


@pytest.mark.parametrize(("name", "error"), [("M2", "RuntimeError"), ("M4", "AssertionError")])
def test_what_a_card_would_refuse_raises(trials, name, error):
    assert trials[name]["error"] == error


def test_keys_as_values_are_no_race_but_do_not_come_back(trials):
    assert trials["M5"] == {"error": None, "came back": False, "reports": []}


def test_graphs_by_length_of_the_chunk(trials):
    """The figure that a connector with buckets must beat: every new length is compiled anew."""
    assert trials["32 lengths"] == {"from_gpu": 32, "to_gpu": 32}
    assert trials["one length"] == {"from_gpu": 1, "to_gpu": 1}
