from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from click.testing import Result

Run = Callable[..., Result]


def test_an_edit_since_needs_force(run: Run, project: Path) -> None:
    file = project / "pkg/stream.py"
    original = file.read_bytes()
    run("rewrite", project, "--write")
    file.write_bytes(b"mine = 1\n")
    refused = run("undo", project)
    assert refused.exit_code == 2
    assert f"{file}: edited since" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert file.read_bytes() == b"mine = 1\n"
    assert run("undo", project, "--force").exit_code == 0
    assert file.read_bytes() == original


def test_nothing_to_undo(run: Run, project: Path) -> None:
    result = run("undo", project)
    assert result.exit_code == 2
    assert (
        result.stderr
        == f"porter: {project}: nothing to undo: no `porter rewrite --write` ran here\n"
    )


def test_a_folder_that_is_not_there(run: Run, project: Path) -> None:
    assert run("undo", project / "missing").exit_code == 2
    assert run("undo", project / "README.md").exit_code == 2
