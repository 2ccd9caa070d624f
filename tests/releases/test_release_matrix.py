"""``scripts/release_matrix``: a release that passes is a row, and what is wrong is said."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from packaging.version import Version

from porter.findings import Summary
from porter.package.recipe import find_recipe
from porter.validate.rung import Failure, Outcome, Status

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "release_matrix"


@pytest.fixture(scope="module")
def matrix(load_script: Callable[[str], ModuleType]) -> ModuleType:
    return load_script("release_matrix")


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, SCRIPT, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


@pytest.mark.network
def test_a_release_is_a_row() -> None:
    run = call("0.3.0")
    assert run.returncode == 0, run.stderr
    heading, row, verdict = run.stdout.splitlines()
    cells = dict(zip(heading.split(), row.split(), strict=True))
    assert cells["release"] == "0.3.0" and cells["static"] == "passed"
    found, *parts = (
        int(cells[name]) for name in ("constructs", "rewritten", "reported", "unaccounted")
    )
    assert found == sum(parts) > 0 and parts[-1] == 0
    assert "nothing is unaccounted for" in verdict


@pytest.mark.network
def test_a_release_that_the_recipe_does_not_support() -> None:
    run = call("0.2.1")
    assert run.returncode == 2
    assert run.stderr.startswith("release_matrix: ") and run.stderr.count("\n") == 1


def test_bad_usage() -> None:
    run = call("newest")
    assert run.returncode == 2 and "newest" in run.stderr


def test_every_release_is_one_that_the_recipe_supports(matrix: ModuleType) -> None:
    versions = [Version(text) for text in matrix.RELEASES]
    assert versions == sorted(set(versions)) and len(versions) == 34
    for version in versions:
        find_recipe("lmcache").at(version)


def test_what_is_wrong_is_said(matrix: ModuleType) -> None:
    good = matrix.Row("1.0", 3, Summary(5, 0, 3, 2, 0, 0), Outcome(Status.PASSED, "fine"), 0.5)
    assert list(matrix.wrong([good])) == []
    failure = Failure("m.py", 7, "left", "port it")
    failed = replace(good, rung=Outcome(Status.FAILED, "3 files, 1 failure", (failure,)))
    left = replace(good, counted=Summary(5, 0, 3, 1, 1, 0))
    assert list(matrix.wrong([failed, left])) == [
        "1.0: 3 files, 1 failure",
        f"    {failure}",
        "1.0: 1 construct unaccounted for",
    ]
