"""porter.table: every wrong value is one line with its place."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from porter.errors import PorterError
from porter.findings import Effort
from porter.table import Table

VALUES = st.recursive(
    st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
ACCESSORS: dict[str, Callable[[Table], object]] = {
    "text": lambda table: table.text("key"),
    "optional_text": lambda table: table.optional_text("key"),
    "texts": lambda table: table.texts("key"),
    "number": lambda table: table.number("key"),
    "limit": lambda table: table.limit("key"),
    "flag": lambda table: table.flag("key"),
    "choice": lambda table: table.choice("key", Effort),
    "specifier": lambda table: table.specifier("key"),
    "version": lambda table: table.version("key"),
    "table": lambda table: table.table("key"),
    "rows": lambda table: list(table.rows("key")),
    "patterns": lambda table: table.patterns("key", "why"),
    "strings": Table.strings,
    "numbers": Table.numbers,
    "tables": Table.tables,
    "versions": Table.versions,
}


@pytest.mark.parametrize(
    ("name", "value", "result"),
    [
        ("text", "a", "a"),
        ("optional_text", "a", "a"),
        ("texts", ["a", "b"], ("a", "b")),
        ("number", 3, 3),
        ("limit", 3, 3),
        ("limit", 1.02, 1.02),
        ("flag", True, True),
        ("choice", "low", Effort.LOW),
        ("specifier", ">=1", ">=1"),
        ("version", "1.0", Version("1.0")),
        ("patterns", ["a", "b"], {"a": "why", "b": "why"}),
        ("patterns", {"a": "because"}, {"a": "because"}),
        ("strings", "a", {"key": "a"}),
        ("numbers", 3, {"key": 3}),
        ("versions", "1.0", {"key": Version("1.0")}),
    ],
)
def test_a_value_of_the_right_kind(name: str, value: object, result: object) -> None:
    assert ACCESSORS[name](Table({"key": value}, "here")) == result


@pytest.mark.parametrize(
    ("name", "result"),
    [("optional_text", None), ("texts", ()), ("flag", False), ("rows", []), ("patterns", {})],
)
def test_what_may_be_left_out(name: str, result: object) -> None:
    assert ACCESSORS[name](Table({}, "here")) == result


@pytest.mark.parametrize("name", ["text", "number", "limit", "choice", "specifier", "version"])
def test_what_must_be_there(name: str) -> None:
    with pytest.raises(PorterError, match=r"^here: add key$"):
        ACCESSORS[name](Table({}, "here"))


@pytest.mark.parametrize(
    ("name", "value", "cure"),
    [
        ("text", 3, "here: key must be a string"),
        ("optional_text", 3, "here: key must be a string"),
        ("texts", "a", "here: key must be a list of strings"),
        ("texts", ["a", 3], "here: key must be a list of strings"),
        ("number", True, "here: key must be a number"),
        ("limit", True, "here: key must be a number that is not below zero"),
        ("limit", float("inf"), "here: key must be a number that is not below zero"),
        ("numbers", "3", "here: key must be a number"),
        ("flag", 1, "here: key must be true or false"),
        ("choice", "some", "here: key must be one of none, low, medium, high, not 'some'"),
        ("version", "new", "here: 'new' is no PEP 440 version"),
        ("table", [], "here: key: must be a table"),
        ("rows", {}, "here: write [[key]], not [key]"),
        ("rows", [{}, 3], "here: [[key]] 2: must be a table"),
        ("patterns", {"a": 3}, "here: key: a must be a string"),
        ("tables", "a", "here: key: must be a table"),
    ],
)
def test_a_value_of_the_wrong_kind(name: str, value: object, cure: str) -> None:
    with pytest.raises(PorterError) as caught:
        ACCESSORS[name](Table({"key": value}, "here"))
    assert str(caught.value) == cure


@pytest.mark.parametrize("name", ACCESSORS)
@given(value=VALUES)
def test_no_value_is_an_error_of_another_kind(name: str, value: object) -> None:
    try:
        ACCESSORS[name](Table({"key": value}, "here"))
    except PorterError as error:
        assert str(error).startswith("here: ")


def test_unknown_keys_are_named_with_the_known() -> None:
    table = Table({"b": 1, "d": 2, "c": 3}, "here")
    assert table.only("b", "c", "d") is table
    with pytest.raises(PorterError, match=r"^here: unknown keys: c, d; it takes a, b$"):
        table.only("a", "b")


@pytest.mark.parametrize("value", [3, "a", [], None])
def test_no_table(value: object) -> None:
    with pytest.raises(PorterError, match=r"^here: must be a table$"):
        Table(value, "here")
