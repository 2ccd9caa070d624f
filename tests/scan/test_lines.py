from __future__ import annotations

import pytest

from porter.scan.lines import Lines

TEXT = "a\r\nbc\rd\n\nlast"


@pytest.mark.parametrize(
    ("offset", "place"),
    [(0, (1, 1)), (2, (1, 3)), (3, (2, 1)), (6, (3, 1)), (8, (4, 1)), (9, (5, 1)), (12, (5, 4))],
)
def test_places_count_from_one(offset: int, place: tuple[int, int]) -> None:
    assert Lines(TEXT).place(offset) == place


def test_where_a_line_begins_and_ends() -> None:
    lines = Lines(TEXT)
    assert (lines.line_start(4), lines.line_end(4)) == (3, 6)
    assert (lines.line_start(10), lines.line_end(10)) == (9, len(TEXT))


@pytest.mark.parametrize(("text", "newline"), [(TEXT, "\r\n"), ("a\rb\n", "\r"), ("a", "\n")])
def test_the_line_end_that_comes_first(text: str, newline: str) -> None:
    assert Lines(text).newline == newline
