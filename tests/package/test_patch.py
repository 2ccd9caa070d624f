"""porter.package.patch: the patch makes the ported package out of the unpacked release."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from porter.package.build import port
from porter.package.patch import changes_patch
from porter.package.ported import Ported
from porter.package.recipe import Recipe
from porter.package.release import Release
from porter.rulebook import default_rulebook
from porter.sources.resolve import open_source

TOOLS = {"patch": ["patch", "-p1", "--no-backup-if-mismatch", "-s"], "git": ["git", "apply"]}


@pytest.fixture(params=TOOLS)
def apply(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")

    def applied(ported: Ported) -> Path:
        """A copy of the release, patched, and rid of what the patch says to delete by hand."""
        root = tmp_path / "copy"
        shutil.copytree(ported.release.tree.root, root)
        patch = tmp_path / "changes.patch"
        patch.write_bytes(changes_patch(ported))
        with patch.open("rb") as file:
            subprocess.run(TOOLS[request.param], cwd=root, stdin=file, check=True)
        for line in patch.read_text().splitlines():
            if line.startswith("# delete by hand: "):
                (root / line.removeprefix("# delete by hand: ").partition(": ")[0]).unlink()
        return root

    return applied


def assert_ported(root: Path, ported: Ported) -> None:
    assert (root / ported.release.metadata).read_bytes() == ported.metadata
    package = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in (root / "tinykv").rglob("*")
        if path.is_file()
    }
    assert package == dict(ported.files)


def test_the_wheel_s_tree_becomes_the_ported_one(apply: Any, ported: Ported) -> None:
    assert_ported(apply(ported), ported)


def test_the_sdist_s_tree_becomes_the_ported_one(apply: Any, tiny: Any, tmp_path: Path) -> None:
    tree = open_source(str(tiny.sdist), cache=tmp_path / "cache")
    ported = port(Release.of(tree), Recipe.load(tiny.recipe), default_rulebook())
    root = apply(ported)
    assert_ported(root, ported)
    assert (root / "tests" / "test_load.py").read_bytes() == tree.read("tests/test_load.py")


def test_line_ends_and_missing_ones_survive(apply: Any, tiny: Any) -> None:
    connector = tiny.tree.root / "tinykv" / "connector.py"
    connector.write_bytes(connector.read_bytes().replace(b"\n", b"\r\n").rstrip())
    ported = port(Release.of(tiny.tree), Recipe.load(tiny.recipe), default_rulebook())
    assert b"torch.hpu.synchronize()\r\n" in ported.files["tinykv/connector.py"]
    assert_ported(apply(ported), ported)


def test_the_head_says_what_a_patch_cannot(ported: Ported) -> None:
    head = changes_patch(ported).partition(b"diff --git")[0].decode()
    assert "tinykv 1.2 -> 1.2+hpu.1" in head
    assert "delete by hand: tinykv/kernels.cpython-311-x86_64-linux-gnu.so: links" in head
    assert all(line.startswith("#") for line in head.splitlines())
