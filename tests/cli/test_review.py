from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Run = Callable[..., Result]


DataOf = Callable[[Path], dict[str, Any]]
SelectionOf = Callable[..., Path]


def test_it_writes_the_page_and_says_what_it_found(
    run: Run, data_of: DataOf, project: Path, tmp_path: Path
) -> None:
    page = tmp_path / "review.html"
    result = run("review", project, "-o", page)
    assert result.exit_code == 1
    assert "1 fixable, 1 reported, 0 unaccounted for" in result.stdout
    assert f"wrote {page}" in result.stderr
    assert data_of(page)["source"] == str(project)


def test_exit_code_0_without_a_finding(run: Run, project: Path, tmp_path: Path) -> None:
    assert run("review", project / "pkg/clean.py", "-o", tmp_path / "r.html").exit_code == 0


def test_json_is_that_of_a_scan(run: Run, project: Path, tmp_path: Path) -> None:
    result = run("review", project, "-o", tmp_path / "r.html", "--format", "json")
    assert json.loads(result.stdout) == json.loads(run("scan", project, "--format", "json").stdout)


def test_the_page_is_the_same_for_the_same_source(run: Run, project: Path, tmp_path: Path) -> None:
    pages = [tmp_path / "one.html", tmp_path / "two.html"]
    for page in pages:
        run("review", project, "-o", page)
    assert pages[0].read_bytes() == pages[1].read_bytes()


def test_rules_that_were_not_chosen_are_not_in_it(
    run: Run, data_of: DataOf, project: Path, tmp_path: Path
) -> None:
    page = tmp_path / "review.html"
    run("review", project, "-o", page, "--select", "HPU8")
    assert data_of(page)["rules"].keys() == {"HPU800"}
    assert data_of(page)["options"]["select"] == ["HPU8"]


@pytest.mark.parametrize("target", ["missing/review.html", "."])
def test_a_page_that_cannot_be_written_is_bad_input(
    run: Run, project: Path, tmp_path: Path, target: str
) -> None:
    result = run("review", project, "-o", tmp_path / target)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_rewrite_applies_what_the_review_let_through(
    run: Run, selection: SelectionOf, project: Path, tmp_path: Path
) -> None:
    (project / "pkg/wait.py").write_text("import torch\n\ntorch.cuda.synchronize()\n")
    page = tmp_path / "review.html"
    run("review", project, "-o", page)
    chosen = selection(page, "HPU302")
    result = run("rewrite", project, "--selection", chosen)
    assert result.exit_code == 0
    assert "+torch.hpu.synchronize()" in result.stdout
    assert "current_stream" not in result.stdout
    assert "1 hunk of the review applied, 1 refused" in result.stderr
    assert run("rewrite", project, "--selection", chosen, "--write").exit_code == 0
    again = run("rewrite", project, "--selection", chosen)
    assert again.stdout == ""
    assert "1 accepted hunk not found" in again.stderr


def test_what_the_review_did_not_see_stays(
    run: Run, selection: SelectionOf, project: Path, tmp_path: Path
) -> None:
    page = tmp_path / "review.html"
    run("review", project, "-o", page)
    chosen = selection(page, "")
    (project / "pkg/new.py").write_text("import torch\n\ntorch.cuda.synchronize()\n")
    result = run("rewrite", project, "--selection", chosen)
    assert "synchronize" not in result.stdout
    assert "1 hunk of the review applied, 1 not in the review and left" in result.stderr


def test_rewrite_goes_by_the_options_of_the_review(
    run: Run, selection: SelectionOf, project: Path, tmp_path: Path
) -> None:
    page = tmp_path / "review.html"
    run("review", project, "-o", page, "--ignore", "HPU302")
    result = run("rewrite", project, "--selection", selection(page, ""))
    assert result.stdout == ""
    refused = run("rewrite", project, "--selection", selection(page, ""), "--ignore", "HPU3")
    assert refused.exit_code == 2


def test_an_earlier_selection_comes_back(
    run: Run, data_of: DataOf, selection: SelectionOf, project: Path, tmp_path: Path
) -> None:
    page, following = tmp_path / "review.html", tmp_path / "next.html"
    run("review", project, "-o", page)
    chosen = selection(page, "HPU302")
    assert data_of(page)["decided"] == {}
    assert run("review", project, "-o", following, "--selection", chosen).exit_code == 1
    assert sorted(data_of(following)["decided"].values()) == [
        ["accepted", ""],
        ["refused", "why not"],
    ]
    assert data_of(following)["identity"] == data_of(page)["identity"]


@pytest.mark.parametrize("command", [["rewrite"], ["review", "-o", "r.html"]])
@pytest.mark.parametrize("options", [{"routes": 3}, {"unknown": []}])
def test_a_selection_that_is_none_is_bad_input(
    run: Run,
    selection: SelectionOf,
    project: Path,
    tmp_path: Path,
    command: list[str],
    options: dict[str, Any],
) -> None:
    page = tmp_path / "review.html"
    run("review", project, "-o", page)
    chosen = selection(page, "", options=options)
    result = run(command[0], project, *command[1:], "--selection", chosen)
    assert result.exit_code == 2
    assert str(chosen) in result.stderr
