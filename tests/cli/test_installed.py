"""An installed porter is whole: rules and recipes travel in its wheel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest

CLONE = Path(__file__).resolve().parents[2]


def run(*command: str | Path, cwd: Path) -> str:
    """In a folder outside the clone, with nothing that leads back into it."""
    inherited = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**inherited, "PORTER_CACHE": str(cwd / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.network
def test_an_installed_porter_ports_a_package(tmp_path: Path, tiny: Any) -> None:
    """The network is for porter's own dependencies; the package is made on the spot."""
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    run(*pip, "wheel", "--no-deps", "-w", tmp_path, CLONE, cwd=tmp_path)
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    wheel = next(tmp_path.glob("porter-*.whl"))
    run(python, *pip[1:], "install", wheel, cwd=tmp_path)

    where = run(python, "-c", "import porter; print(porter.__file__)", cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(tmp_path)
    porter = tmp_path / "env" / "bin" / "porter"
    rungs = json.loads(
        run(porter, "port", tiny.wheel, "-o", "out", "--recipe", tiny.recipe, "--format", "json",
            cwd=tmp_path)
    )["rungs"]  # fmt: skip
    assert rungs[0] == {**rungs[0], "name": "static", "status": "passed"}
    code = "from porter.package.recipe import find_recipe; print(*find_recipe('lmcache').overlays)"
    assert "_data/ported/lmcache/overlay" in run(python, "-c", code, cwd=tmp_path)
