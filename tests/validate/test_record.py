from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from porter.sources.tree import SourceTree
from porter.validate.record import record_failures, tag_failures

Make = Callable[..., Any]
DIST_INFO = "pkg-1.0.dist-info"


@pytest.fixture
def wheel(make_wheel: Make) -> SourceTree:
    tree: SourceTree = make_wheel({"pkg/a.py": "x = 1\n", "pkg/b, c.py": ""})
    return tree


def failures(tree: SourceTree) -> list[str]:
    return [item.what for item in record_failures(tree, DIST_INFO, list(tree.files()))]


def edit(tree: SourceTree, old: str, new: str) -> None:
    path = tree.root / DIST_INFO / "RECORD"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def quote(tree: SourceTree) -> None:
    edit(tree, "pkg/b, c.py", '"pkg/b, c.py"')


def test_a_right_record(wheel: SourceTree) -> None:
    quote(wheel)
    assert failures(wheel) == []


def test_a_file_that_changed(wheel: SourceTree) -> None:
    quote(wheel)
    (wheel.root / "pkg/a.py").write_text("x = 2\n")
    assert failures(wheel) == ["pkg/a.py has another hash"]


def test_a_wrong_size(wheel: SourceTree) -> None:
    quote(wheel)
    edit(wheel, ",6\n", ",7\n")
    assert failures(wheel) == ["pkg/a.py has 6 bytes, not 7"]


def test_an_unlisted_file(wheel: SourceTree) -> None:
    quote(wheel)
    (wheel.root / "pkg/new.py").write_text("")
    assert failures(wheel) == ["pkg/new.py is not listed"]


def test_a_missing_file(wheel: SourceTree) -> None:
    quote(wheel)
    (wheel.root / "pkg/a.py").unlink()
    assert failures(wheel) == ["pkg/a.py is listed, but not there"]


def test_a_row_without_hash(wheel: SourceTree) -> None:
    quote(wheel)
    (wheel.root / "pkg/new.py").write_text("")
    edit(wheel, f"{DIST_INFO}/RECORD,,", f"{DIST_INFO}/RECORD,,\npkg/new.py,,")
    assert failures(wheel) == ["pkg/new.py is listed without a hash"]


def test_a_weak_hash(wheel: SourceTree) -> None:
    quote(wheel)
    edit(wheel, "pkg/a.py,sha256=", "pkg/a.py,md5=")
    assert failures(wheel) == ["pkg/a.py is listed without a hash"]


def test_a_file_outside_the_wheel_is_not_read(wheel: SourceTree) -> None:
    quote(wheel)
    (wheel.root.parent / "outside").write_text("")
    edit(wheel, f"{DIST_INFO}/RECORD,,", f"{DIST_INFO}/RECORD,,\n../outside,sha256=x,0")
    assert failures(wheel) == ["../outside lies outside the wheel"]


def test_no_record(wheel: SourceTree) -> None:
    (wheel.root / DIST_INFO / "RECORD").unlink()
    assert failures(wheel) == ["the wheel has no RECORD"]


def test_the_place_is_the_row(wheel: SourceTree) -> None:
    quote(wheel)
    (wheel.root / "pkg/a.py").write_text("x = 2\n")
    (failure,) = record_failures(wheel, DIST_INFO, list(wheel.files()))
    rows = (wheel.root / DIST_INFO / "RECORD").read_text().splitlines()
    assert rows[failure.line - 1].startswith("pkg/a.py,")


@pytest.mark.parametrize(
    ("tag", "compiled", "wrong"),
    [
        ("py3-none-any", [], False),
        ("py3-none-any", ["pkg/a.so"], True),
        ("cp311-cp311-linux_x86_64", ["pkg/a.so"], False),
    ],
)
def test_tags(make_wheel: Make, tag: str, compiled: list[str], wrong: bool) -> None:
    tree = make_wheel({"pkg/a.py": ""}, tag=tag)
    found = [str(item) for item in tag_failures(tree, DIST_INFO, list(tree.files()), compiled)]
    assert bool(found) is wrong
    assert all(
        line.startswith(f"{DIST_INFO}/WHEEL:3: tag py3-none-any, but pkg/a.so") for line in found
    )


def test_no_wheel_file(make_wheel: Make) -> None:
    tree = make_wheel({"pkg/a.py": ""})
    Path(tree.root / DIST_INFO / "WHEEL").unlink()
    (failure,) = tag_failures(tree, DIST_INFO, list(tree.files()), [])
    assert failure.what == "the wheel has no WHEEL file"
