"""A call that is routed nowhere fails the rung."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from porter.sources.tree import Kind, SourceTree
from porter.validate.routes import RoutedModules
from porter.validate.walk import read_module


def dead_ends(folder: Path, source: str) -> list[str]:
    (folder / "pkg" / "hpu").mkdir(parents=True)
    ours = "from enum import Enum\ndef copy(): ...\nclass Kind(Enum): ...\nLIMIT = 1\n"
    (folder / "pkg" / "hpu" / "ops.py").write_text(ours)
    tree = SourceTree(folder, Kind.FOLDER, "tree")
    routed = RoutedModules(tree, ["pkg.hpu.ops", "pkg.hpu.gone"])
    reading = read_module(ast.parse(source), source, "pkg/m.py")
    return [failure.what.partition(" does")[0] for failure in routed.dead_ends(reading, "pkg/m.py")]


@pytest.mark.parametrize(
    "source",
    [
        "import pkg.hpu.ops as ops\nops.copy(); ops.Kind.LARGE; ops.LIMIT",
        "from pkg.hpu.ops import copy\ncopy()",
        "from pkg.hpu import ops\nops.copy()",
        "import pkg.other as ops\nops.gone()",
    ],
)
def test_names_that_are_there(tmp_path, source):
    assert dead_ends(tmp_path, source) == []


@pytest.mark.parametrize(
    ("source", "missing"),
    [
        ("import pkg.hpu.ops as ops\nops.gone()", "pkg.hpu.ops.gone"),
        ("from pkg.hpu.ops import gone", "pkg.hpu.ops.gone"),
        ("import pkg.hpu.gone as ops", "pkg.hpu.gone"),
    ],
)
def test_names_that_are_not(tmp_path, source, missing):
    assert missing in dead_ends(tmp_path, source)
