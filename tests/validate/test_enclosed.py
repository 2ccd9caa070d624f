"""The documents that a wheel carries in its metadata folder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from porter.errors import PorterError
from porter.sources.tree import SourceTree
from porter.validate.enclosed import enclosed

Make = Callable[..., SourceTree]
PATH = "pkg-1.0.dist-info/porter/list.json"


def pages(tree: SourceTree) -> list[Any]:
    return list(
        enclosed(tree, tree.files(), "list.json", "list of pages", lambda it, _: it["pages"])
    )


def test_it_is_read_where_it_lies(make_tree: Make) -> None:
    assert pages(make_tree({"pkg/list.json": "{"})) == []
    assert pages(make_tree({PATH: '{"schema_version": 1, "pages": 4}'})) == [4]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "Expecting"),
        ("[]", "indices"),
        ('{"schema_version": 1}', "'pages'"),
        ('{"schema_version": 2, "pages": 4}', "schema_version 2, this porter reads 1"),
    ],
)
def test_what_is_malformed_is_one_line(make_tree: Make, text: str, reason: str) -> None:
    with pytest.raises(PorterError, match=rf"{PATH}: not a list of pages \(.*{reason}.*\); build"):
        pages(make_tree({PATH: text}))
