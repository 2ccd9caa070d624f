"""Completion as the shell asks for it: docs/daily_use.md has the line for each shell."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """\
import sys
from porter.cli import main
main(prog_name="porter")
"""


@pytest.fixture
def complete(project: Path, tmp_path: Path):
    """What bash offers for a line, with ``porter`` on its path and the project as its folder."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not installed")
    program = tmp_path / "bin" / "porter"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\n{SCRIPT}")
    program.chmod(0o755)

    def ask(*words: str) -> list[str]:
        code = (
            f'PATH="{program.parent}:$PATH"\n'
            'eval "$(_PORTER_COMPLETE=bash_source porter)"\n'
            'COMP_WORDS=("$@")\nCOMP_CWORD=$(($# - 1))\n_porter_completion porter\n'
            'printf "%s\\n" "${COMPREPLY[@]}"\n'
        )
        done = subprocess.run(
            [bash, "-c", code, "bash", *words],
            cwd=project,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stderr == ""
        return done.stdout.split()

    return ask


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["porter", "sc"], ["scan"]),
        (["porter", "rules", "sh"], ["show"]),
        (["porter", "rules", "show", "hpu00"], [f"HPU00{n}" for n in range(1, 6)]),
        (["porter", "scan", "--select", "HPU301,HPU00"], [f"HPU301,HPU00{n}" for n in range(1, 6)]),
        (["porter", "scan", "--format", "sa"], ["sarif"]),
        (["porter", "scan", "--no-"], ["--no-cache"]),
    ],
)
def test_what_bash_offers(complete, words: list[str], offered: list[str]) -> None:
    assert complete(*words) == offered


def test_all_commands_are_offered(complete) -> None:
    assert {"scan", "rewrite", "rules", "port"} <= {*complete("porter", "")}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_there_is_a_script_for(shell: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={"_PORTER_COMPLETE": f"{shell}_source", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"_PORTER_COMPLETE={shell}_complete" in done.stdout
