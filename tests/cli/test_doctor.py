from __future__ import annotations

import json
import sys
from pathlib import Path

from click.testing import CliRunner, Result

from porter.cli import main


def run(*arguments: str, **variables: str) -> Result:
    return CliRunner().invoke(main, ["doctor", *arguments], env=variables)


def test_this_environment_with_a_variable_too_many() -> None:
    result = run(HCCL_OVER_TCP="1")
    assert result.exit_code == 1
    assert "[hccl-over-tcp]" in result.stdout
    assert result.stderr == ""


def test_json_of_another_interpreter() -> None:
    result = run("--python", sys.executable, "--format", "json", HCCL_OVER_TCP="1")
    assert result.exit_code == 1
    checks = [row["check"] for row in json.loads(result.stdout)["findings"]]
    assert "hccl-over-tcp" in checks


def test_no_interpreter_is_bad_input(tmp_path: Path) -> None:
    result = run("--python", str(tmp_path))
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert str(tmp_path) in result.stderr


def test_help_shows_an_example() -> None:
    assert "porter doctor --python /opt/venv" in run("--help").stdout
