from __future__ import annotations

import pytest

from porter.wording import first_few, plural


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 files"), (1, "1 file"), (2, "2 files"), (11, "11 files")]
)
def test_plural(count: int, text: str) -> None:
    assert plural(count, "file") == text


@pytest.mark.parametrize("noun", ["launch", "flush", "class", "index"])
def test_plural_of_a_hiss(noun: str) -> None:
    assert plural(2, noun) == f"2 {noun}es"


@pytest.mark.parametrize(
    ("names", "text"), [("a", "a"), ("abc", "a, b, c"), ("abcd", "a, b, c, ..."), ("", "")]
)
def test_first_few(names: str, text: str) -> None:
    assert first_few(list(names)) == text
