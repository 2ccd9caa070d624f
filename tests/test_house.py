"""The house: set-up commands, style, data that travels, one direction of imports."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from porter.toml import read_toml

ROOT = Path(__file__).resolve().parent.parent
LAYERS = [
    {
        "findings",
        "selection",
        "errors",
        "toml",
        "table",
        "resources",
        "parallel",
        "progress",
        "wording",
    },
    {"sources", "plan"},
    {"rulebook"},
    {"scan"},
    {"codemods"},
    {"report", "rewrite", "package", "emulator"},
    {"validate", "install"},
    {"cli"},
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}


def setup_commands() -> list[str]:
    text = (ROOT / "README.md").read_text()
    section = text.partition("## Set up")[2].partition("\n## ")[0]
    return re.findall(r"^    (\S.*)$", section, re.MULTILINE)


def test_the_readme_has_two_setup_commands_and_ci_runs_the_second():
    main_job, tests = setup_commands()
    assert "porter port lmcache==0.3.9.post2" in main_job
    assert tests in (ROOT / ".ci" / "run").read_text()


@pytest.mark.parametrize(
    "command",
    [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]],
    ids=["ruff check", "ruff format", "mypy"],
)
def test_style(command):
    run = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


def modules() -> list[Path]:
    return sorted((ROOT / "porter").rglob("*.py"))


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
        elif isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
    return {name.split(".")[1] for name in names if name.startswith("porter.")}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path):
    own = path.relative_to(ROOT / "porter").parts[0].removesuffix(".py")
    if own in RANK:
        assert [name for name in imported(path) if RANK[name] > RANK[own]] == []


def test_the_base_install_has_no_torch():
    pyproject = (ROOT / "pyproject.toml").read_text()
    dependencies = pyproject.partition("dependencies = [")[2].partition("]")[0]
    assert dependencies and "torch" not in dependencies


@pytest.fixture
def listed() -> list[str]:
    """The files that are committed."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a clone: nothing is committed")
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    run = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return run.stdout.splitlines()


def test_the_sdist_has_all_that_is_committed(listed):
    sdist = read_toml(ROOT / "pyproject.toml")["tool"]["hatch"]["build"]["targets"]["sdist"]
    packed = {*sdist["include"], "pyproject.toml", ".gitignore"}
    assert {name.partition("/")[0] for name in listed} == packed


def test_nothing_of_upstream_is_committed(listed):
    notices = ("SPDX-" + "FileCopyrightText", "LMCache " + "Authors", "Habana " + "Labs")
    for path in filter(Path.is_file, (ROOT / name for name in listed)):
        text = path.read_text(encoding="utf-8", errors="replace")
        assert not any(notice in text for notice in notices), path
