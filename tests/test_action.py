"""The GitHub Action: valid, and its scan step does what its inputs say."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS = {step["id"]: step for step in ACTION["runs"]["steps"]}
EXPRESSION = re.compile(r"\$\{\{\s*([\w.]+)\s*\}\}")


def test_the_schema_takes_it():
    command = ["check_jsonschema", "--builtin-schema", "vendor.github-actions", "action.yml"]
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_input_is_part_of_a_script():
    for step in STEPS.values():
        assert not EXPRESSION.search(step["run"])


def test_every_expression_is_known():
    known = {f"inputs.{name}" for name in ACTION["inputs"]}
    known |= {"github.action_path", "runner.temp", "steps.install.outputs.porter"}
    used = {name for step in STEPS.values() for name in EXPRESSION.findall(str(step["env"]))}
    assert used == known


@pytest.fixture
def step(tmp_path: Path):
    """Run the scan step as the runner does, with the porter of the tests."""
    project = tmp_path / "repository"
    (project / "src").mkdir(parents=True)
    (project / "src/m.py").write_text("import torch\nx.cuda()\n")
    porter = tmp_path / "porter"
    porter.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m porter "$@"\n')
    porter.chmod(0o755)

    def run(**inputs: str) -> tuple[int, str, str]:
        values = {
            f"inputs.{name}": inputs.get(name, row["default"])
            for name, row in ACTION["inputs"].items()
        }
        values["steps.install.outputs.porter"] = str(porter)
        told = {
            name: EXPRESSION.sub(lambda match: values[match[1]], value)
            for name, value in STEPS["scan"]["env"].items()
        }
        output = tmp_path / "output"
        output.write_text("")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", STEPS["scan"]["run"]],
            cwd=project,
            env={
                **os.environ,
                **told,
                "GITHUB_OUTPUT": str(output),
                "GITHUB_WORKSPACE": str(project),
                "PORTER_NO_CACHE": "1",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr, output.read_text()

    return run


def test_findings_fail_the_step_and_stand_at_their_lines(step):
    code, text, output = step(source="src")
    assert (code, output) == (1, "findings=true\n")
    assert "m.py:2:1: HPU201" in text
    assert "::warning file=src/m.py,line=2," in text


def test_what_is_chosen_is_passed_on(step, tmp_path):
    code, text, output = step(
        source="src", ignore="HPU2", annotations="false", sarif="out.sarif", markdown="out.md"
    )
    assert (code, output) == (0, "findings=false\n")
    assert "::" not in text
    assert json.loads((tmp_path / "repository/out.sarif").read_text())["runs"][0]["results"] == []
    assert "no CUDA constructs" in (tmp_path / "repository/out.md").read_text()
    assert step(source="src", fail="false")[0::2] == (0, "findings=true\n")


def test_bad_input_fails_whatever_is_asked_for(step):
    for inputs in ({"source": "missing/"}, {"baseline": "missing.json"}, {"select": "E501"}):
        code, _, output = step(fail="false", **inputs)
        assert (code, output) == (2, "")
    assert step(source="$(touch gone); `touch gone`")[0] == 2
