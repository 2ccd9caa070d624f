from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from porter.cli import main


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["validate", *arguments])


@pytest.fixture
def clean(tmp_path: Path) -> str:
    (tmp_path / "a.py").write_text("x = 1\n")
    return str(tmp_path)


@pytest.fixture
def broken(tmp_path: Path) -> str:
    (tmp_path / "a.py").write_text("x.cuda()\n")
    return str(tmp_path)


def test_passed(clean: str) -> None:
    result = run(clean)
    assert result.exit_code == 0
    assert "passed  static" in result.stdout
    assert result.stderr == ""


def test_failed(broken: str) -> None:
    result = run(broken, "--level", "static")
    assert result.exit_code == 1
    assert "a.py:1: '.cuda()' (.cuda()) is unaccounted for; port it, or report it" in result.stdout


def test_a_rung_that_is_not_run_is_no_failure(clean: str) -> None:
    result = run(clean, "--level", "serve")
    assert result.exit_code == 0
    assert "not run serve    porter cannot run this rung yet" in result.stdout


def test_json(broken: str) -> None:
    result = run(broken, "--format", "json")
    assert result.exit_code == 1
    rungs = json.loads(result.stdout)["rungs"]
    assert [rung["status"] for rung in rungs] == ["failed", *["not run"] * 4]


@pytest.mark.parametrize("source", ["no/such.whl", "no/such/folder"])
def test_bad_input_is_one_line(source: str) -> None:
    result = run(source)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert source in result.stderr


def test_a_damaged_list_is_bad_input(tmp_path: Path) -> None:
    folder = tmp_path / "pkg-1.dist-info" / "porter"
    folder.mkdir(parents=True)
    (folder / "remaining.json").write_text("{")
    (tmp_path / "a.py").write_text("")
    result = run(str(tmp_path))
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert "remaining.json" in result.stderr


def test_an_unknown_level(clean: str) -> None:
    assert run(clean, "--level", "sky").exit_code == 2


def test_help_shows_an_example() -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert "porter validate dist/lmcache-" in result.stdout
