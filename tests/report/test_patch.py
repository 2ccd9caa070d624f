"""The patch is judged by the tools that have to take it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from porter.report.patch import unified_patch

TOOLS = {
    "git": ["git", "apply", "--whitespace=nowarn", "-"],
    "patch": ["patch", "-p1", "--silent", "--no-backup-if-mismatch"],
}
CASES = {
    "one line": (b"a\nb\nc\n", b"a\nB\nc\n"),
    "crlf": (b"a\r\nb\r\nc\r\n", b"a\r\nB\r\nc\r\n"),
    "mixed line ends": (b"a\nb\r\nc\rd\n", b"a\nB\r\nc\rd\n"),
    "carriage returns only": (b"a\rb\rc", b"a\rB\rc"),
    "no final newline before": (b"a\nb", b"a\nb\n"),
    "no final newline after": (b"a\nb\n", b"a\nb"),
    "no final newline at all": (b"a\nb", b"A\nb"),
    "not UTF-8": (b"# \xe9\xff\nx = 1\n", b"# \xe9\xff\nx = 2\n"),
    "form feed and other line separators": (b"a\x0cb\x1cc\nd\n", b"a\x0cb\x1cC\nd\n"),
    "looks like a header": (b"-- a\n++ b\n@@ c\n", b"-- a\n++ B\n@@ c\n"),
    "far apart": (b"\n".join(b"%d" % n for n in range(50)), b"x" + b"\n" * 49),
    "created": (None, b"a\nb\n"),
    "created without a final newline": (None, b"a"),
    "deleted": (b"a\nb\n", None),
    "emptied": (b"a\nb\n", b""),
    "filled": (b"", b"a\nb\n"),
    "created empty": (None, b""),
    "deleted empty": (b"", None),
}
NAMES = ["m.py", "deep/er/m.py", "with space.py", 'quo"te.py', "back\\slash.py", "tab\t.py", "é.py"]


def apply(tool: str, folder: Path, path: str, before: bytes | None, patch: bytes) -> bytes | None:
    """What ``tool`` makes of ``before`` in an own folder; None for no file."""
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    shutil.rmtree(folder, ignore_errors=True)
    target = folder / path
    target.parent.mkdir(parents=True)
    if before is not None:
        target.write_bytes(before)
    subprocess.run(TOOLS[tool], cwd=folder, input=patch, check=True, capture_output=True)
    return target.read_bytes() if target.exists() else None


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize(("before", "after"), CASES.values(), ids=CASES)
def test_tools_take_the_patch(
    tool: str, before: bytes | None, after: bytes | None, tmp_path: Path
) -> None:
    patch = unified_patch("pkg/m.py", before, after)
    assert apply(tool, tmp_path / "tree", "pkg/m.py", before, patch) == after


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["changed", "created", "deleted"])
def test_tools_take_unusual_names(tool: str, name: str, kind: str, tmp_path: Path) -> None:
    before, after = {
        "changed": (b"a\n", b"b\n"),
        "created": (None, b"b\n"),
        "deleted": (b"a\n", None),
    }[kind]
    patch = unified_patch(name, before, after)
    assert apply(tool, tmp_path / "tree", name, before, patch) == after


lines = st.lists(st.sampled_from([b"a", b"b\n", b"\r\n", b"\n", b"\xff\x00\n", b" c \n"]))
texts = lines.map(b"".join)


@pytest.mark.parametrize("tool", TOOLS)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(before=texts, after=texts)
def test_any_change_survives(tool: str, tmp_path: Path, before: bytes, after: bytes) -> None:
    patch = unified_patch("m.py", before, after)
    if not patch:
        assert before == after
    else:
        assert apply(tool, tmp_path / "tree", "m.py", before, patch) == after


def test_patch_of_several_files(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1\n")
    (tmp_path / "b").write_bytes(b"2")
    patch = unified_patch("a", b"1\n", b"3\n") + unified_patch("b", b"2", b"4")
    subprocess.run(TOOLS["git"], cwd=tmp_path, input=patch, check=True)
    assert (tmp_path / "a").read_bytes() == b"3\n"
    assert (tmp_path / "b").read_bytes() == b"4"


def test_hunk_as_git_prints_it() -> None:
    before = b"".join(b"%d\n" % number for number in range(10))
    assert unified_patch("m.py", before, before.replace(b"5\n", b"five\n")) == (
        b"diff --git a/m.py b/m.py\n--- a/m.py\n+++ b/m.py\n"
        b"@@ -3,7 +3,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n"
    )


def test_no_change_no_patch() -> None:
    assert unified_patch("m.py", b"a", b"a") == b""
