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
from porter.validate.contracts import host, read_contracts

Make = Callable[..., SourceTree]
CONTRACT = {"class": "pkg.ours:Ours", "base": "caller.base:Base", "own": ["save"]}
DOCUMENT = {"schema_version": 1, "contracts": [CONTRACT]}
PATH = "pkg-1.0.dist-info/porter/contract.json"
SCHEMA = json.loads((Path(porter.package.__file__).parent / "contract.schema.json").read_text())


def test_what_the_wheel_lists(make_tree: Make) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(DOCUMENT)
    tree = make_tree({PATH: json.dumps(DOCUMENT), "pkg/a.py": ""})
    assert read_contracts(tree, tree.files()) == [CONTRACT]
    assert host(CONTRACT) == "caller"


def test_nothing_is_listed(make_tree: Make) -> None:
    tree = make_tree({"pkg/porter/contract.json": "{", "pkg/a.py": ""})
    assert read_contracts(tree, tree.files()) == []


@pytest.mark.parametrize(
    "document",
    [
        "{",
        [],
        {**DOCUMENT, "schema_version": 2},
        {"schema_version": 1},
        {"schema_version": 1, "contracts": [{"class": "pkg.ours:Ours"}]},
    ],
)
def test_what_is_malformed_is_one_line(make_tree: Make, document: Any) -> None:
    text = document if isinstance(document, str) else json.dumps(document)
    tree = make_tree({PATH: text})
    with pytest.raises(PorterError, match=r"contract\.json: not a list of contracts") as caught:
        read_contracts(tree, tree.files())
    assert "\n" not in str(caught.value)
