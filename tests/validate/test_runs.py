"""porter.validate.runs: what the wheel lists to be run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import porter.package
from porter.errors import PorterError
from porter.sources.tree import SourceTree
from porter.validate.runs import Run, read_runs

Make = Callable[..., SourceTree]
INFO = "pkg-1.0.dist-info/porter"
RUN: dict[str, Any] = {
    "name": "pages",
    "entry": "trip:pages",
    "prompt": {"tokens": 40, "kv": {"layers": 2}},
    "prompts": {"count": 10, "longest": 40, "kv": {"layers": 1}},
    "limits": {"store": {"syncs": 1}, "load": {"bytes": 1.02}},
}
DOCUMENT = {"schema_version": 1, "runs": [RUN, {**RUN, "prompts": None}]}
SCHEMA = json.loads((Path(porter.package.__path__[0]) / "run.schema.json").read_text())


def test_what_the_wheel_lists(make_tree: Make) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(DOCUMENT)
    tree = make_tree({f"{INFO}/run.json": json.dumps(DOCUMENT), "pkg/a.py": ""})
    first, second = read_runs(tree, tree.files())
    assert first == Run(folder=f"{INFO}/runs", **RUN)
    assert first.path == f"{INFO}/runs/trip.py"
    assert second.prompts is None


def test_nothing_is_listed(make_tree: Make) -> None:
    tree = make_tree({"pkg/porter/run.json": "{", "pkg/a.py": ""})
    assert read_runs(tree, tree.files()) == []


@pytest.mark.parametrize(
    "document",
    [
        "{",
        [],
        {**DOCUMENT, "schema_version": 2},
        {"schema_version": 1},
        {"schema_version": 1, "runs": [{**RUN, "prompt": {"kv": {}}}]},
        {"schema_version": 1, "runs": [{**RUN, "limits": {"store": {}}}]},
        {"schema_version": 1, "runs": [{**RUN, "limits": []}]},
    ],
)
def test_what_is_malformed_is_one_line(make_tree: Make, document: Any) -> None:
    text = document if isinstance(document, str) else json.dumps(document)
    tree = make_tree({f"{INFO}/run.json": text})
    with pytest.raises(PorterError, match=r"run\.json: not a list of runs") as caught:
        read_runs(tree, tree.files())
    assert "\n" not in str(caught.value)
