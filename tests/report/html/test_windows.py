from __future__ import annotations

import re
from typing import Any

import pytest

from porter.codemods.engine import analyse_text
from porter.codemods.options import Options
from porter.findings import Finding, apply_edits
from porter.report.html.windows import CONTEXT, MOST_LINES, Windows
from porter.rulebook import default_rulebook


def windows_of(code: str, path: str = "m.py") -> list[tuple[Finding, list[dict[str, Any]]]]:
    result = analyse_text(path, code, default_rulebook(), Options(hunks=True))
    windows = Windows(path, code)
    return [
        (
            finding,
            windows.of(
                finding,
                sorted(
                    edit
                    for other in result.findings
                    if other.hunk == finding.hunk
                    for edit in other.edits
                ),
            ),
        )
        for finding in result.findings
    ]


def only(code: str, path: str = "m.py") -> dict[str, Any]:
    ((_, (window,)),) = windows_of(code, path)
    return window


def side(window: dict[str, Any], index: int) -> list[str]:
    cells = (row[min(index, len(row) - 1)] for row in window["rows"])
    return [cell[0] for cell in cells if cell is not None]


def marked(cell: list[Any]) -> list[str]:
    marks = cell[2] if len(cell) > 2 else []
    return [cell[0][a:b] for a, b in zip(marks[::2], marks[1::2], strict=True)]


def test_a_change_with_its_context_and_the_words_that_differ() -> None:
    lines = [f"a{number} = {number}" for number in range(10)]
    code = "\n".join(["import torch", *lines, "torch.cuda.synchronize()", *lines]) + "\n"
    window = only(code)
    assert window["line"] == 12 - CONTEXT
    assert [len(row) for row in window["rows"]] == [1] * CONTEXT + [2] + [1] * CONTEXT
    before, after = window["rows"][CONTEXT]
    assert before[0] == "torch.cuda.synchronize()"
    assert after[0] == "torch.hpu.synchronize()"
    assert (marked(before), marked(after)) == (["cuda"], ["hpu"])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", ["", "\n"])
def test_both_sides_are_the_text_before_and_after(end: str, last: str) -> None:
    code = end.join(["import torch", "torch.cuda.empty_cache()", "é = f(x.cuda(0, True),", "  1)"])
    code += end if last else ""
    for finding, windows in windows_of(code):
        assert finding.after is not None
        (window,) = windows
        result = apply_edits(code, finding.edits)
        assert side(window, 0) == re.split("\r\n|\r|\n", code.rstrip("\r\n"))
        assert side(window, 1) == re.split("\r\n|\r|\n", result.rstrip("\r\n"))


def test_a_removed_line_has_nothing_on_the_other_side() -> None:
    window = only("import torch\ndef f():\n    x = 1\n    torch.cuda.empty_cache()\n")
    assert window["rows"][-1][0][0] == "    torch.cuda.empty_cache()"
    assert window["rows"][-1][1] is None


def test_what_is_reported_is_pointed_out() -> None:
    window = only("import cupy\n")
    assert [len(row) for row in window["rows"]] == [1]
    assert marked(window["rows"][0][0]) == ["import cupy"]


def test_an_added_import_is_a_line_put_between() -> None:
    code = "import torch\ntorch.cuda.synchronize()\n"
    result = analyse_text("m.py", code, default_rulebook())
    (edit,) = set(result.edits) - {edit for item in result.findings for edit in item.edits}
    window = Windows("m.py", code).of_edit(edit)
    assert [row[0] is None for row in window["rows"]] == [False, True, False]
    assert window["rows"][1][1][0].startswith("import habana_frameworks.torch")


def test_a_long_line_is_cut_around_the_finding() -> None:
    code = f"import torch\nx = [{'1, ' * 7000}torch.cuda.device_count(), {'2, ' * 7000}]\n"
    before, after = only(code)["rows"][1]
    assert len(before[0]) < 600
    assert "torch.cuda.device_count()" in before[0]
    skipped = before[3]
    assert skipped[0] + len(before[0]) + skipped[1] == len(code.splitlines()[1])
    assert (marked(before), marked(after)) == (["cuda"], ["hpu"])


def test_a_long_finding_is_cut_and_says_how_much_is_hidden() -> None:
    window = only("import torch\nx = torch.cuda.CUDAGraph(\n" + "1,\n" * 500 + ")\n")
    assert len(window["rows"]) == MOST_LINES
    assert window["hidden"]


def test_a_long_change_is_folded_where_nothing_differs() -> None:
    code = "import torch\nx = f(y).cuda(\n" + "# same\n" * 500 + "  0, True)\nz = 1\n"
    window = only(code)
    folds = [row for row in window["rows"] if isinstance(row, int)]
    assert len(folds) == 1
    assert folds[0] > 400
    assert "hidden" not in window
    changed = [row for row in window["rows"] if not isinstance(row, int) and len(row) == 2]
    assert next(row[0][0] for row in changed if row[0]) == "x = f(y).cuda("
    assert next(row[1][0] for row in changed if row[1]).startswith("x = f(y).to(")


def test_a_window_that_begins_in_a_string_is_coloured_as_one() -> None:
    text = '"""' + "\n".join(f"for line {number}" for number in range(10)) + '"""\n'
    code = f"import torch\nx = {text}torch.cuda.synchronize()\n"
    first = only(code)["rows"][0][0]
    assert first[0].startswith("for line")
    assert first[1] == f"{len(first[0])}s"


def test_marks_count_characters_beyond_the_basic_plane() -> None:
    before, _ = only("import torch\nx = '🂡🂢', torch.cuda.device_count()\n")["rows"][1]
    assert marked(before) == ["cuda"]
