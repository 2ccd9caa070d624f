from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from porter.cli import main

MODULES = {
    "pkg/stream.py": "import torch\n\nstream = torch.cuda.current_stream()\n",
    "pkg/kernel.py": "import cupy\n\nx = cupy.zeros(1)\n",
    "pkg/clean.py": "x = 1\n",
    "README.md": "torch.cuda.current_stream()\n",
}


@pytest.fixture(autouse=True)
def _no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's cache is no test's business; those about a cache have one of their own."""
    monkeypatch.setenv("PORTER_NO_CACHE", "1")


@pytest.fixture
def run() -> Callable[..., Result]:
    """Run ``porter`` with these arguments."""

    def invoke(*arguments: object) -> Result:
        return CliRunner().invoke(main, [str(argument) for argument in arguments])

    return invoke


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with one construct to rewrite and at least one to report."""
    root = tmp_path / "project"
    for path, text in MODULES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root
