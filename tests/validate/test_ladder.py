from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import jsonschema
import pytest

import porter.validate
from porter.errors import PorterError
from porter.validate.ladder import NAMES, RUNGS, Ladder, climb
from porter.validate.rung import Failure, Outcome, Status

Make = Callable[..., Any]
CLEAN = {"pkg/a.py": "x = 1\n"}
BROKEN = {"pkg/a.py": "\n".join(f"x{number}.cuda()" for number in range(30))}
SCHEMA = json.loads((Path(porter.validate.__file__).parent / "ladder.schema.json").read_text())


def statuses(ladder: Ladder) -> dict[str, str]:
    return {rung["name"]: rung["status"] for rung in ladder.document()["rungs"]}


def valid(document: Any) -> bool:
    return jsonschema.Draft202012Validator(SCHEMA).is_valid(document)


def test_the_rungs_in_order() -> None:
    assert NAMES == ("static", "import", "contract", "run", "serve")


def test_a_clean_package(make_tree: Make) -> None:
    ladder = climb(make_tree(CLEAN))
    assert statuses(ladder) == {"static": "passed", **dict.fromkeys(NAMES[1:], "not run")}
    assert not ladder.failed
    assert "no .dist-info folder" in ladder.outcomes["import"].summary
    assert ladder.outcomes["contract"].summary == "the package lists no class that others call"
    assert ladder.outcomes["run"].summary == "the package lists nothing to run"
    assert ladder.outcomes["serve"].summary == "not asked for: --level run ends below it"


def test_a_failed_rung_ends_the_climb(make_tree: Make) -> None:
    ladder = climb(make_tree(BROKEN))
    assert statuses(ladder) == {"static": "failed", **dict.fromkeys(NAMES[1:], "not run")}
    assert ladder.failed
    assert ladder.outcomes["import"].summary == "the rung static failed"


def test_the_top_rung(make_tree: Make) -> None:
    ladder = climb(make_tree(CLEAN), "static")
    assert ladder.outcomes["import"].summary == "not asked for: --level static ends below it"


def test_an_unknown_rung(make_tree: Make) -> None:
    with pytest.raises(PorterError, match="static, import, contract, run, serve"):
        climb(make_tree(CLEAN), "sky")


def test_a_folder_by_path(make_tree: Make) -> None:
    assert not climb(make_tree(CLEAN).root).failed


def test_a_wheel_file(make_wheel: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTER_CACHE", str(tmp_path / "cache"))
    tree = make_wheel(CLEAN)
    wheel = tmp_path / "out" / "pkg-1.0-py3-none-any.whl"
    paths = list(tree.files())
    wheel.parent.mkdir()
    with ZipFile(wheel, "w") as archive:
        for path in paths:
            archive.write(tree.root / path, path)
    ladder = climb(str(wheel), "static")  # with that cache, the next rung would build its device
    assert statuses(ladder)["static"] == "passed"
    assert ladder.outcomes["static"].notes == ()


def test_a_path_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(PorterError, match="gone"):
        climb(tmp_path / "gone")


@pytest.mark.parametrize("files", [CLEAN, BROKEN])
def test_the_document_follows_its_schema(make_tree: Make, files: dict[str, str]) -> None:
    document = climb(make_tree(files)).document()
    assert valid(document)
    assert json.loads(json.dumps(document)) == document


def test_the_schema_can_say_no(make_tree: Make) -> None:
    document = climb(make_tree(BROKEN)).document()
    rung = document["rungs"][0]
    assert not valid({})
    assert not valid({"rungs": document["rungs"][:-1]})
    assert not valid({"rungs": document["rungs"][::-1]})
    assert not valid({"rungs": [{**rung, "status": "skipped"}, *document["rungs"][1:]]})
    assert not valid({"rungs": [{**rung, "status": "passed"}, *document["rungs"][1:]]})
    assert not valid({"rungs": [{**rung, "more": 1}, *document["rungs"][1:]]})


def test_the_document_lists_every_failure_and_the_text_does_not(make_tree: Make) -> None:
    ladder = climb(make_tree(BROKEN))
    listed = ladder.document()["rungs"][0]["failures"]
    shown = [line for line in ladder.text().plain.splitlines() if "pkg/a.py:" in line]
    assert len(listed) == 30
    assert [line.strip() for line in shown] == listed[:20]
    assert "... and 10 more" in ladder.text().plain


def test_a_short_list_is_shown_whole() -> None:
    not_run = dict.fromkeys(NAMES[1:], Outcome(Status.NOT_RUN, "why"))
    failure = Failure("a[b].py", 3, "[bold]what[/bold]", "cure")
    outcome = Outcome(Status.FAILED, "one failure", (failure,), ("a note",))
    text = Ladder("label", {"static": outcome, **not_run}).text().plain
    assert "  a[b].py:3: [bold]what[/bold]; cure\n  a note\n" in text
    assert "more" not in text


def test_a_long_note_is_cut_and_the_document_has_it_all() -> None:
    note = "needs " + ", ".join(f"module_{number}" for number in range(99))
    outcomes = dict.fromkeys(NAMES, Outcome(Status.PASSED, "all of it", notes=(note,)))
    ladder = Ladder("label", outcomes)
    assert ladder.document()["rungs"][0]["notes"] == [note]
    shown = [line for line in ladder.text().plain.splitlines() if "needs" in line]
    assert len(shown) == len(NAMES)
    assert all(len(line) < 210 and line.endswith("... (--format json lists all)") for line in shown)


def test_the_text_says_what_is_not_proven(make_tree: Make) -> None:
    text = climb(make_tree(CLEAN)).text().plain
    for rung in RUNGS:
        assert f"does not prove {rung.does_not_prove}" in text
    assert "A green ladder is not a Gaudi card" in text
    assert "100" not in text
