"""porter.package.entry_points: upstream's text stays unless something is added."""

from __future__ import annotations

from configparser import ConfigParser

import pytest

from porter.errors import PorterError
from porter.package.entry_points import from_project, merge
from porter.table import Table

UPSTREAM = "[console_scripts]\nKV-server = kv.server:main\n\n[vllm.plugins]\nkv = kv:go [extra]\n"


def parse(text: str) -> dict[str, dict[str, str]]:
    parser = ConfigParser(delimiters="=")
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    return {group: dict(parser[group]) for group in parser.sections()}


@pytest.mark.parametrize("text", ["", UPSTREAM, "; odd\n[a]\nb=c\n"])
def test_nothing_added_nothing_changed(text: str) -> None:
    assert merge(text, {}) == text


def test_groups_and_names_are_added() -> None:
    added = {"vllm.plugins": {"10.hpu": "kv.hpu:go"}, "new": {"x": "kv:x"}}
    assert parse(merge(UPSTREAM, added)) == {
        "console_scripts": {"KV-server": "kv.server:main"},
        "vllm.plugins": {"kv": "kv:go [extra]", "10.hpu": "kv.hpu:go"},
        "new": {"x": "kv:x"},
    }


def test_entry_points_of_a_project_table() -> None:
    project = {
        "scripts": {"kv": "kv:main"},
        "gui-scripts": {"kv-ui": "kv:ui"},
        "entry-points": {"vllm.plugins": {"kv": "kv:go"}},
    }
    assert from_project(Table(project, "project")) == {
        "console_scripts": {"kv": "kv:main"},
        "gui_scripts": {"kv-ui": "kv:ui"},
        "vllm.plugins": {"kv": "kv:go"},
    }
    assert from_project(Table({"name": "kv"}, "project")) == {}


@pytest.mark.parametrize(
    "project", [{"scripts": 3}, {"gui-scripts": {"kv": 3}}, {"entry-points": {"kv": "kv:go"}}]
)
def test_entry_points_of_the_wrong_kind_are_named(project: dict[str, object]) -> None:
    with pytest.raises(PorterError, match=r"pyproject\.toml: project.* must be a"):
        from_project(Table(project, "pyproject.toml: project"))


@pytest.mark.parametrize("text", ["kv = kv:go\n", "[a]\nx = y\nx = z\n", "[a]\nno object\n"])
def test_text_that_nobody_can_read_is_named(text: str) -> None:
    with pytest.raises(PorterError, match=r"entry_points\.txt of the release cannot be read"):
        merge(text, {"a": {"b": "c"}})
