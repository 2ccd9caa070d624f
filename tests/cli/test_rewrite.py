from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest
from click.testing import Result

Run = Callable[..., Result]


def contents(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "demo-1.0-py3-none-any.whl"
    with ZipFile(path, "w") as archive:
        archive.writestr("demo/m.py", "import torch\ntorch.cuda.synchronize()\n")
        archive.writestr("demo/data.txt", "torch.cuda\n")
        archive.writestr("demo-1.0.dist-info/METADATA", "Name: demo\nVersion: 1.0\n")
        archive.writestr("demo-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\n")
        archive.writestr("demo-1.0.dist-info/RECORD", "")
    return path


def test_the_default_prints_a_diff_and_writes_nothing(run: Run, project: Path) -> None:
    before = contents(project)
    result = run("rewrite", project)
    assert result.exit_code == 0
    assert "+stream = torch.hpu.current_stream()" in result.stdout
    assert "1 fixable, 1 reported, 0 unaccounted for" in result.stderr
    assert "rewritten" not in result.stderr
    assert "1 file to rewrite; nothing was written" in result.stderr
    assert contents(project) == before


def test_the_diff_can_be_applied(run: Run, project: Path, tmp_path: Path) -> None:
    (project / "pkg/crlf.py").write_bytes(b"import torch\r\ntorch.cuda.synchronize()\r\n# \xc3\xa9")
    diff = run("rewrite", project).stdout_bytes
    out = tmp_path / "out"
    assert run("rewrite", project, "--output", out).exit_code == 0
    subprocess.run(["git", "apply", "-"], cwd=project, input=diff, check=True)
    assert contents(project) == contents(out)
    assert b"torch.hpu.synchronize()\r\n" in (project / "pkg/crlf.py").read_bytes()


def test_write_and_undo(run: Run, project: Path) -> None:
    before = contents(project)
    result = run("rewrite", project, "--write")
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "1 rewritten, 1 reported, 0 unaccounted for" in result.stderr
    assert f"`porter undo {project}`" in result.stderr
    assert b"torch.hpu" in (project / "pkg/stream.py").read_bytes()
    assert run("rewrite", project).stdout == ""
    undone = run("undo", project)
    assert undone.exit_code == 0
    assert undone.stdout == f"{project / 'pkg/stream.py'}\n"
    assert contents(project) == before
    assert run("undo", project).exit_code == 2


def test_a_second_write_says_that_there_is_nothing(run: Run, project: Path) -> None:
    run("rewrite", project, "--write")
    result = run("rewrite", project, "--write")
    assert result.exit_code == 0
    assert "0 files rewritten in place" in result.stderr
    assert not (project / ".porter/2").exists()


def test_after_writing_scan_shows_what_was_reported(run: Run, project: Path) -> None:
    rewritten = json.loads(run("rewrite", project, "--write", "--format", "json").stdout)
    scanned = json.loads(run("scan", project, "--format", "json").stdout)
    assert rewritten["summary"]["rewritten"] > 0
    assert scanned["summary"]["fixable"] == 0
    assert scanned["summary"]["reported"] == rewritten["summary"]["reported"]


def test_a_single_file(run: Run, project: Path) -> None:
    before = contents(project)
    file = project / "pkg/stream.py"
    assert run("rewrite", file, "--write").exit_code == 0
    assert b"torch.hpu" in file.read_bytes()
    assert run("undo", project / "pkg").exit_code == 0
    assert contents(project) == before


@pytest.mark.parametrize("kind", ["write", "output", "patch", "diff"])
def test_json(run: Run, project: Path, tmp_path: Path, kind: str) -> None:
    arguments = {
        "write": ["--write"],
        "output": ["--output", tmp_path / "out"],
        "patch": ["--patch", tmp_path / "changes.patch"],
        "diff": [],
    }[kind]
    result = run("rewrite", project, "--format", "json", *arguments)
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    statuses = {item["status"] for file in document["files"] for item in file["findings"]}
    assert statuses == {"rewritten", "reported"}


def test_patch(run: Run, project: Path, tmp_path: Path) -> None:
    before, file = contents(project), tmp_path / "changes.patch"
    result = run("rewrite", project, "--patch", file)
    assert result.exit_code == 0
    assert contents(project) == before
    assert file.read_bytes() == run("rewrite", project).stdout_bytes
    assert result.stdout == ""


def test_a_wheel_goes_to_output(run: Run, wheel: Path, tmp_path: Path) -> None:
    original = wheel.read_bytes()
    refused = run("rewrite", wheel, "--write")
    assert refused.exit_code == 2
    assert "--output" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    out = tmp_path / "out"
    assert run("rewrite", wheel, "--output", out).exit_code == 0
    assert b"torch.hpu.synchronize()" in (out / "demo/m.py").read_bytes()
    assert (out / "demo/data.txt").read_bytes() == b"torch.cuda\n"
    assert (out / "demo-1.0.dist-info/METADATA").is_file()
    assert wheel.read_bytes() == original
    assert b"torch.cuda.synchronize()" in run("rewrite", wheel).stdout_bytes, "cache was edited"


def test_output_that_is_taken(run: Run, project: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine").touch()
    result = run("rewrite", project, "--output", tmp_path / "out")
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [["--write", "--output", "o"], ["--write", "--patch", "p"], ["--output", "o", "--patch", "p"]],
)
def test_one_way_at_a_time(run: Run, project: Path, arguments: list[str]) -> None:
    before = contents(project)
    result = run("rewrite", project, *arguments)
    assert result.exit_code == 2
    assert "exclude each other" in result.stderr
    assert contents(project) == before


def test_an_excluded_file_is_copied_as_it_is(run: Run, project: Path, tmp_path: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.porter]\nexclude = ["pkg/stream.py"]\n')
    assert run("rewrite", project, "--output", tmp_path / "out").exit_code == 0
    assert contents(tmp_path / "out") == contents(project)


def test_a_read_only_file(run: Run, project: Path) -> None:
    before = contents(project)
    (project / "pkg/stream.py").chmod(0o444)
    result = run("rewrite", project, "--write")
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert (
        "stream.py: read-only; make it writable, or write elsewhere with --output" in result.stderr
    )
    assert contents(project) == before


def test_a_patch_that_cannot_be_written(run: Run, project: Path, tmp_path: Path) -> None:
    result = run("rewrite", project, "--patch", tmp_path / "missing/changes.patch")
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
