from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from porter.errors import PorterError
from porter.sources.tree import SourceTree
from porter.validate.counter import count
from porter.validate.remaining import Remaining

Make = Callable[..., Any]
FILE = "pkg-1.0.dist-info/porter/remaining.json"
PATH = "pkg/a.py"


@pytest.fixture
def left(make_tree: Make, remaining: Make) -> Callable[..., list[int]]:
    """Columns of the constructs of a line that these findings do not cover."""

    def columns(source: str, *findings: tuple[str, dict[str, Any]]) -> list[int]:
        tree: SourceTree = make_tree({FILE: json.dumps(remaining(*findings))})
        document = Remaining.of(tree, tree.files())
        return [item.column for item in document.unaccounted(PATH, count(source, PATH))]

    return columns


def test_nothing_is_accounted_for_without_findings(left: Make) -> None:
    assert left("x.cuda()") == [3]


@pytest.mark.parametrize(("column", "end"), [(1, 9), (2, 9), (3, 4)])
def test_a_span_covers(left: Make, finding: Make, column: int, end: int) -> None:
    assert left("x.cuda()", finding(PATH, 1, column, end)) == []


def test_the_end_is_exclusive(left: Make, finding: Make) -> None:
    two = "x.cuda(); y.cuda()"
    assert left(two, finding(PATH, 1, 1, 13)) == [13]
    assert left(two, finding(PATH, 1, 1, 14)) == []


def test_one_finding_does_not_hide_its_neighbour(left: Make, finding: Make) -> None:
    assert left("x.cuda(); y.cuda()", finding(PATH, 1, 1, 9)) == [13]


def test_a_span_over_lines_covers_what_is_between(left: Make, finding: Make) -> None:
    source = "f(\n    'cuda',\n    'cuda:1',\n)\n'nccl' in x"
    assert left(source, finding(PATH, 1, 1, 2, end_line=4)) == [1]


def test_a_finding_beside_its_construct_speaks_for_the_line(left: Make, finding: Make) -> None:
    source = "from torch.cuda import Stream"
    assert left(source, finding(PATH, 1, 6, 16)) == []
    assert left(source, finding(PATH, 2, 6, 16)) == [24]


@pytest.mark.parametrize("change", [{"rule": "HPU001"}, {"status": "rewritten"}])
def test_what_does_not_account(left: Make, finding: Make, change: dict[str, str]) -> None:
    assert left("x.cuda()", finding(PATH, 1, 1, 9, **change)) == [3]


def test_a_file_accounts_for_itself_alone(left: Make, finding: Make) -> None:
    other = finding("pkg/b.py", 1, 1, 9)
    assert left("x.cuda()", other) == [3]
    assert left("x.cuda()", other, finding(PATH, 1, 1, 9)) == []


def test_native_modules(make_tree: Make, remaining: Make) -> None:
    tree = make_tree({FILE: json.dumps(remaining(native_modules=["pkg.ops"]))})
    assert Remaining.of(tree, tree.files()).native_modules == ("pkg.ops",)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '{"schema_version": 2, "native_modules": [], "files": []}',
        '{"schema_version": 1, "native_modules": [], "findings": []}',
        '{"schema_version": 1, "native_modules": [], "files": [{"path": "a.py"}]}',
        '{"schema_version": 1, "native_modules": [], "files": [{"path": "a", "findings": [{}]}]}',
        '{"schema_version": 1, "native_modules": null, "files": []}',
        "\ufffd",
    ],
)
def test_a_malformed_file_is_bad_input(make_tree: Make, text: str) -> None:
    with pytest.raises(PorterError, match=r"remaining\.json: .*porter port"):
        Remaining.of(make_tree({FILE: text}), [FILE])
