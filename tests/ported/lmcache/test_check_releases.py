"""``scripts/check_releases``: what a row of its table says."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType

import pytest
from packaging.version import Version

from porter.errors import PorterError
from porter.package.recipe import find_recipe
from porter.validate.rung import Failure, Outcome, Status

NOTES = ("needs nixl, which is not installed: 1 module: a", "needs b.c, which is not installed: 2")
PASSED = Outcome(Status.PASSED, "3 of 5 modules import, 2 need what is not installed", (), NOTES)


@pytest.fixture(scope="module")
def script(load_script: Callable[[str], ModuleType]) -> ModuleType:
    return load_script("check_releases")


def test_all_releases_are_in_the_recipe(script):
    recipe = find_recipe("lmcache")
    for release in script.RELEASES:
        assert recipe.at(Version(release)).vllm is not None


def test_a_row(script):
    row = script.Row("0.5.6", "0.32.0", PASSED, PASSED, [], ["this", "that"])
    assert script.line(row.cells()) == (
        "| 0.5.6 | 0.32.0 | passed | passed | 3 of 5 | passed | this; that |"
    )
    bare = script.Row("0.5.6", "0.32.0", PASSED, Outcome(Status.NOT_RUN, "no torch"), ["x"], [])
    assert bare.cells()[3:] == ("not run", "-", "1 wrong", "-")


def test_the_exit_code_tells_of_failures(script, monkeypatch, capsys):
    failed = Outcome(Status.FAILED, "0 of 1 modules import", (Failure("a.py", 1, "no", "do"),))
    rows = {
        "0.5.5": script.Row("0.5.5", "0.32.0", PASSED, PASSED, [], []),
        "0.5.6": script.Row("0.5.6", "0.32.0", PASSED, failed, [], []),
    }

    def ran(*releases: str) -> int:
        monkeypatch.setattr(sys, "argv", ["check_releases", *releases])
        return script.main()

    monkeypatch.setattr(script, "checked", lambda release: rows[str(release)])
    assert ran("0.5.5") == 0
    assert ran("0.5.6", "0.5.5") == 1
    out, err = capsys.readouterr()
    assert out.count("| 0.5.5 |") == 2
    assert err == "check_releases: 0.5.6: a.py:1: no; do\n"

    def refused(release: object) -> None:
        raise PorterError("nobody answers")

    monkeypatch.setattr(script, "checked", refused)
    assert ran("0.5.6") == 2


@pytest.mark.network
@pytest.mark.parametrize(
    ("release", "lacks"),
    [
        ("0.3.9.post2", ["upstream has no V3", "not tried without nixl, b.c"]),
        ("0.3.13", ["not tried without nixl, b.c"]),
        ("0.4.4", ["its multiprocess mode knows no pairs of keys and values"]),
    ],
)
def test_what_a_release_lacks(script, monkeypatch, release, lacks):
    """The ports are real; what the rungs say of them is not asked again."""
    monkeypatch.setattr(script.static, "check", lambda tree: PASSED)
    monkeypatch.setattr(script.imports, "check", lambda tree: PASSED)
    monkeypatch.setattr(script, "contract", lambda vllm, release: [])
    row = script.checked(Version(release))
    assert set(lacks) <= set(row.lacks)
    assert not any("for Gaudi" in text for text in row.lacks)
