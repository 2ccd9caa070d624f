"""``--format`` of scan and rewrite: the documents come out whole, in UTF-8, from the right base."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Run = Callable[..., Result]
COMMANDS = ["scan", "rewrite"]
UNUSUAL = {
    "pkg/no newline.py": b"import torch\ntorch.cuda.synchronize()",
    "pkg/crlf.py": b"import torch\r\ntorch.cuda.synchronize()\r\n",
    "pkg/mixed.py": b"import torch\r\ntorch.cuda.synchronize()\n",
    "pkg/latin.py": "# coding: latin-1\nimport torch\ntorch.cuda.synchronize()  # é\n".encode(
        "latin-1"
    ),
    "pkg/bom.py": b"\xef\xbb\xbfimport torch\ntorch.cuda.synchronize()\n",
    'a "b"\t/é.py': b"import torch\ntorch.cuda.synchronize()\n",
}


@pytest.fixture
def here(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project as the current folder."""
    monkeypatch.chdir(project)
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    return project


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("style", "expected"),
    [
        ("sarif", '"uri": "pkg/stream.py"'),
        ("github", "::warning file=pkg/stream.py,line=3,endLine=3,col=10,"),
        ("markdown", "<details><summary><code>pkg/stream.py</code>: 1 finding</summary>"),
    ],
)
def test_paths_are_those_from_here(
    run: Run, here: Path, command: str, style: str, expected: str
) -> None:
    for source in ("pkg", here / "pkg", "pkg/stream.py", "."):
        result = run(command, source, "--format", style)
        assert result.exit_code == (1 if command == "scan" else 0)
        assert expected in result.stdout


def test_in_a_workflow_paths_are_those_from_the_repository(
    run: Run, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(here.parent))
    assert f"file={here.name}/pkg/stream.py," in run("scan", ".", "--format", "github").stdout
    monkeypatch.setenv("GITHUB_WORKSPACE", "/elsewhere")
    assert "file=pkg/stream.py," in run("scan", ".", "--format", "github").stdout


def test_sarif_has_fixes_also_for_what_is_being_written(run: Run, here: Path) -> None:
    written = json.loads(run("rewrite", "pkg", "--write", "--format", "sarif").stdout)
    (fixed,) = [item for item in written["runs"][0]["results"] if "fixes" in item]
    (replacement,) = fixed["fixes"][0]["artifactChanges"][0]["replacements"]
    assert replacement["deletedRegion"]["startLine"] == 3
    assert fixed["properties"]["status"] == "rewritten"
    assert b"torch.hpu" in (here / "pkg/stream.py").read_bytes()


def test_rules_link_to_the_pages_that_the_settings_name(run: Run, here: Path) -> None:
    (here / "pyproject.toml").write_text('[tool.porter]\nrule-pages = "https://example.org/r"\n')
    sarif = json.loads(run("scan", "pkg/kernel.py", "--format", "sarif").stdout)
    (rule,) = sarif["runs"][0]["tool"]["driver"]["rules"]
    assert rule["helpUri"] == f"https://example.org/r/{rule['id']}.md"
    assert rule["helpUri"] in run("scan", "pkg/kernel.py", "--format", "markdown").stdout
    (here / "pyproject.toml").write_text('[tool.porter]\nrule-pages = "docs/rules"\n')
    assert "rule-pages must be a URL" in run("scan", "pkg").stderr


@pytest.mark.parametrize("style", ["text", "json", "sarif", "github", "markdown"])
def test_a_name_that_is_no_text(here: Path, style: str) -> None:
    """A process of its own: stdout of a terminal without UTF-8."""
    name = b"pkg/\xff \xc3\xa9.py"
    (here / os.fsdecode(name)).write_bytes(b"import torch\ntorch.cuda.synchronize()\n")
    done = subprocess.run(
        [sys.executable, "-m", "porter", "scan", ".", "--format", style],
        env={**os.environ, "PYTHONIOENCODING": "ascii:backslashreplace"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, b"")
    shown = {"sarif": b"pkg/%FF%20%C3%A9.py", "github": b"file=" + name}
    assert shown.get(style, b"HPU320") in done.stdout


class TestPatch:
    """``git apply`` takes what ``rewrite`` prints."""

    def test_check_and_apply(self, run: Run, here: Path) -> None:
        for path, data in UNUSUAL.items():
            (here / path).parent.mkdir(exist_ok=True)
            (here / path).write_bytes(data)
        run("rewrite", ".", "--patch", here.parent / "changes.patch")
        printed = run("rewrite", ".").stdout_bytes
        assert (here.parent / "changes.patch").read_bytes() == printed
        for option in (["--check"], []):
            subprocess.run(["git", "apply", *option, "-"], input=printed, check=True)
        for path, data in UNUSUAL.items():
            after = (here / path).read_bytes()
            assert b"torch.hpu.synchronize()" in after
            assert after.endswith(data[data.index(b"synchronize()") :])
        assert run("rewrite", ".").stdout_bytes == b""


class TestBaseline:
    def test_only_new_findings_fail(self, run: Run, here: Path) -> None:
        written = run("scan", ".", "--baseline", "known.json", "--write-baseline")
        assert written.exit_code == 0
        assert written.stderr == "porter: 2 findings written to known.json\n"
        assert written.stdout == "no CUDA constructs; 2 ignored\n"
        for source in (".", "pkg", "pkg/stream.py"):
            assert run("scan", source, "--baseline", "known.json").exit_code == 0
        stream = here / "pkg/stream.py"
        stream.write_text("\n\n" + stream.read_text() + "x.cuda()\n")
        again = run("scan", ".", "--baseline", "known.json")
        assert again.exit_code == 1
        assert "stream.py:6:1: HPU201" in again.stdout
        assert "HPU30" not in again.stdout

    def test_a_file_that_is_not_there(self, run: Run, here: Path) -> None:
        result = run("scan", ".", "--baseline", "known.json")
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr == (
            "porter: known.json: cannot be read: No such file or directory; "
            "--write-baseline writes it\n"
        )
        assert run("scan", ".", "--write-baseline").exit_code == 2

    def test_what_is_not_chosen_is_not_written(self, run: Run, here: Path) -> None:
        run("scan", ".", "--baseline", "known.json", "--write-baseline", "--select", "HPU3")
        assert "HPU3" in (here / "known.json").read_text()
        assert "kernel.py" not in (here / "known.json").read_text()
