"""porter.package.runs: what is run of a ported package, and what that may take."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from packaging.version import Version

import porter.package
from porter.errors import PorterError
from porter.package.recipe import Recipe

HEAD = """
[package]
name = "kv"
supported = ">=1,<3"
tier = 2

[budget]
tokens = 40
kv = { layers = 32, heads = 2 }
syncs = 2
bytes = 1.02
[budget.prompts]
count = 1000
longest = 4096
kv = { layers = 4 }
graphs = 4
"""
ROW = '[[run]]\nname = "pages"\nentry = "trip:pages"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "runs" / "__pycache__").mkdir(parents=True)
    (tmp_path / "runs" / "trip.py").write_text("import kv\n")
    (tmp_path / "runs" / "__pycache__" / "trip.cpython-311.pyc").write_bytes(b"\0")
    return tmp_path


def load(folder: Path, rows: str, head: str = HEAD) -> Recipe:
    path = folder / "recipe.toml"
    path.write_text(head + rows)
    return Recipe.load(path)


def document(folder: Path, rows: str) -> dict[str, Any]:
    (run,) = load(folder, rows).runs
    return run.document()


def test_what_a_row_leaves_open_is_the_budget_s(folder: Path) -> None:
    limits = {"syncs": 2, "bytes": 1.02, "graphs": 4}
    assert document(folder, ROW) == {
        "name": "pages",
        "entry": "trip:pages",
        "prompt": {"tokens": 40, "kv": {"layers": 32, "heads": 2}},
        "prompts": {"count": 1000, "longest": 4096, "kv": {"layers": 4, "heads": 2}},
        "limits": {"store": limits, "load": limits},
    }


def test_a_row_may_have_a_budget_of_its_own(folder: Path) -> None:
    rows = ROW + "[run.budget]\nsyncs = { store = 33, load = 1 }\nprompts.count = 10\n"
    found = document(folder, rows)
    assert found["limits"] == {
        "store": {"syncs": 33, "bytes": 1.02, "graphs": 4},
        "load": {"syncs": 1, "bytes": 1.02, "graphs": 4},
    }
    assert (found["prompts"]["count"], found["prompts"]["longest"]) == (10, 4096)


def test_without_prompts(folder: Path) -> None:
    (run,) = load(folder, ROW, HEAD.partition("[budget.prompts]")[0]).runs
    assert run.document()["prompts"] is None


def test_it_follows_the_schema(folder: Path) -> None:
    schema = json.loads((Path(porter.package.__path__[0]) / "run.schema.json").read_text())
    listed = {"schema_version": 1, "runs": [document(folder, ROW)]}
    jsonschema.Draft202012Validator(schema).validate(listed)


def test_the_modules_come_along_and_no_caches(folder: Path) -> None:
    (run,) = load(folder, ROW).runs
    assert run.files() == {"trip.py": b"import kv\n"}


def test_rows_are_chosen_by_release(folder: Path) -> None:
    recipe = load(folder, ROW + 'versions = "<2"\n')
    assert len(recipe.at(Version("1.0")).runs) == 1
    assert recipe.at(Version("2.0")).runs == ()


@pytest.mark.parametrize(
    ("row", "cure"),
    [
        ('[[run]]\nname = "pages"\n', "[[run]] 1: add entry"),
        (ROW.replace("trip:pages", "trip.pages"), "module:function, not 'trip.pages'"),
        (ROW.replace("trip:", "gone:"), "gone.py is no file; write it or correct entry"),
        (ROW + "timeout = 3\n", "unknown keys: timeout"),
        (ROW + "budget.bites = 3\n", "[[run]] 1: budget: unknown keys: bites"),
        (ROW + "budget.syncs = -1\n", "syncs must be a number that is not below zero"),
        (ROW + "budget.syncs = nan\n", "syncs must be a number that is not below zero"),
        (ROW + "budget.syncs = true\n", "syncs must be a number that is not below zero"),
        (ROW + "budget.syncs.both = 1\n", "budget: syncs: unknown keys: both"),
        (ROW + 'budget.kv.layers = "32"\n', "budget: kv: layers must be a number"),
        (ROW + "budget.prompts.graphs = '4'\n", "budget: prompts: graphs must be a number"),
    ],
)
def test_one_line_says_what_is_wrong(folder: Path, row: str, cure: str) -> None:
    with pytest.raises(PorterError) as caught:
        load(folder, row)
    assert cure in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_budget_without_tokens(folder: Path) -> None:
    with pytest.raises(PorterError, match="add tokens"):
        load(folder, ROW, HEAD.replace("tokens = 40\n", ""))
