from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from porter.errors import PorterError
from porter.selection import Rest, load_selection

DOCUMENT: dict[str, Any] = {
    "schema_version": 1,
    "source": "src",
    "porter": "1.0",
    "undecided": "apply",
    "options": {},
    "decisions": [
        {"hunk": "a" * 16, "decision": "accepted", "note": "fine", "changes": True},
        {"hunk": "b" * 16, "decision": "refused", "note": "", "changes": True},
        {"hunk": "c" * 16, "decision": "undecided", "note": "", "changes": True},
        {"hunk": "d" * 16, "decision": "accepted", "note": "", "changes": False},
    ],
}


def written(folder: Path, **changed: Any) -> Path:
    path = folder / "selection.json"
    path.write_text(json.dumps({**DOCUMENT, **changed}))
    return path


def test_what_it_lets_through(tmp_path: Path) -> None:
    selection = load_selection(written(tmp_path))
    assert [selection.applies(letter * 16) for letter in "abce"] == [True, False, True, False]
    assert selection.accepted() == {"a" * 16}
    assert selection.decisions["a" * 16].note == "fine"
    selection = load_selection(written(tmp_path, undecided="leave"))
    assert selection.rest is Rest.LEAVE
    assert [selection.applies(letter * 16) for letter in "abc"] == [True, False, False]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"schema_version": 2}, "schema_version is 2"),
        ({"undecided": "maybe"}, "undecided must be one of apply, leave"),
        ({"decisions": [{"hunk": "a", "decision": "yes"}]}, "[[decisions]] 1: decision must be"),
        ({"decisions": {}}, "[[decisions]]"),
        ({"options": 3}, "options"),
    ],
)
def test_a_malformed_file_is_named_with_the_place(
    tmp_path: Path, changed: dict[str, Any], said: str
) -> None:
    path = written(tmp_path, **changed)
    with pytest.raises(PorterError) as caught:
        load_selection(path)
    assert str(path) in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe\x00", b"[" * 100_000])
def test_what_is_no_json_is_bad_input(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "selection.json"
    path.write_bytes(data)
    with pytest.raises(PorterError, match="no JSON"):
        load_selection(path)
