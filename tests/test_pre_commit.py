"""The hook for pre-commit, run by pre-commit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def pre_commit(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pre_commit", *arguments],
        cwd=cwd,
        env={**os.environ, "PRE_COMMIT_HOME": str(cwd.parent / "home"), "PORTER_NO_CACHE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def git(*arguments: str, cwd: Path) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *arguments], cwd=cwd, capture_output=True, check=True)


def test_the_manifest_is_valid(tmp_path: Path) -> None:
    done = pre_commit("validate-manifest", ROOT / ".pre-commit-hooks.yaml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.slow
@pytest.mark.network
def test_a_commit_is_held_until_it_is_decided(tmp_path: Path) -> None:
    """pre-commit installs porter from a clone of what is committed and changed here."""
    clone, project = tmp_path / "porter", tmp_path / "project"
    ignored = shutil.ignore_patterns(".git", "__pycache__", ".*_cache", ".venv")
    shutil.copytree(ROOT, clone, ignore=ignored)
    for folder in (clone, project):
        folder.mkdir(exist_ok=True)
        git("init", "-q", cwd=folder)
    git("add", "-A", cwd=clone)
    git("commit", "-q", "-m", "porter", cwd=clone)

    module = project / "m.py"
    module.write_text("import torch\nx.cuda()\n")
    git("add", "-A", cwd=project)
    held = pre_commit("try-repo", clone, "porter-scan", "--all-files", cwd=project)
    assert held.returncode == 1, held.stdout + held.stderr
    assert "m.py:2:1: HPU201" in held.stdout

    module.write_text("import torch\nx.cuda()  # porter: ignore[HPU201] of a tool\n")
    git("add", "-A", cwd=project)
    passed = pre_commit("try-repo", clone, "porter-scan", "--all-files", cwd=project)
    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert "Passed" in passed.stdout
