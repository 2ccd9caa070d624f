from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

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


@pytest.fixture
def data_of() -> Callable[[Path], dict[str, Any]]:
    """What a review page is told."""
    return _data_of


@pytest.fixture
def selection() -> Callable[..., Path]:
    """A selection file as a page would export it, with every hunk of a rule refused."""

    def exported(page: Path, refused: str, **changed: Any) -> Path:
        data = _data_of(page)
        document = {
            "schema_version": 1,
            "undecided": "apply",
            "options": data["options"],
            "decisions": [
                {
                    "hunk": finding["hunk"],
                    "decision": "refused" if finding["rule"] == refused else "accepted",
                    "note": "why not" if finding["rule"] == refused else "",
                    "changes": finding["after"] is not None,
                }
                for file in data["files"]
                for finding in file["findings"]
            ],
        }
        path = page.with_name("selection.json")
        path.write_text(json.dumps({**document, **changed}))
        return path

    return exported


def _data_of(page: Path) -> dict[str, Any]:
    text = page.read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(text.partition('id="data">')[2].partition("</script>")[0])
    return data
