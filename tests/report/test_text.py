from __future__ import annotations

from dataclasses import replace

import pytest

from porter.findings import FileResult, Result
from porter.report.text import findings_text, summary_text

PLAIN = """\
pkg/m.py:12:9: HPU101 exact/none  the same on HPU
       torch.cuda.current_stream()
    -> torch.hpu.current_stream()
pkg/m.py:20:9: HPU401 no-op/none  the same on HPU
       torch.cuda.current_stream()
    -> (nothing)
pkg/m.py:30:9: HPU501 unsupported/high  a CUDA kernel
       ops.load(
           a,
           b,
       )

pkg/n.py:12:9: HPU601 review/low  nobody knows who reads it
       "cuda"
pkg/n.py: 1 construct unaccounted for

verdict      effort      fixable   reported
exact        none              1          -
no-op        none              1          -
review       low               -          1
unsupported  high              -          3
7 constructs in 2 files: 2 fixable, 4 reported, 1 unaccounted for"""


def with_first(result: Result, **changes: object) -> Result:
    """``result`` with its first finding changed."""
    file = result.files[0]
    first = replace(file.findings[0], **changes)  # type: ignore[arg-type]
    return replace(result, files=(replace(file, findings=(first,), constructs=1),))


def test_the_whole_text(result: Result) -> None:
    assert findings_text(result).plain == PLAIN


def test_after_rewriting(result: Result) -> None:
    text = summary_text(result.rewritten()).plain
    assert text.splitlines()[0].split() == ["verdict", "effort", "rewritten", "reported"]
    assert text.endswith("7 constructs in 2 files: 2 rewritten, 4 reported, 1 unaccounted for")


def test_no_percentage_and_no_boast(result: Result) -> None:
    clean = Result(("pkg",), (FileResult("m.py", (), 0),))
    for view in (result, result.rewritten(), clean):
        text = findings_text(view).plain
        assert "%" not in text
        assert "100" not in text


def test_nothing_found() -> None:
    assert findings_text(Result(("pkg",), (FileResult("m.py", (), 0),))).plain == (
        "no CUDA constructs"
    )


def test_a_line_for_grep_is_never_broken(result: Result) -> None:
    long = with_first(result, message="word " * 60)
    first = findings_text(long).plain.splitlines()[0]
    assert first == "pkg/m.py:12:9: HPU101 exact/none  " + ("word " * 60).strip()


def test_a_message_fits_the_terminal(result: Result) -> None:
    long = with_first(result, message="word " * 60)
    for width in (80, 120):
        lines = findings_text(long, width).plain.splitlines()
        assert lines[0] == "pkg/m.py:12:9: HPU101 exact/none"
        assert max(map(len, lines)) <= width
        assert " ".join(" ".join(lines[1:]).split()).startswith(("word " * 60).strip())


@pytest.mark.parametrize("code", ["x" * 20_000, "\t" * 50 + "x", "宽" * 100, "\x1b" * 100])
def test_code_fits_the_terminal(result: Result, code: str) -> None:
    text = findings_text(with_first(result, before=code, after=code), 80)
    assert max(line.cell_len for line in text.split("\n")) <= 80
    assert "…" in text.plain
    assert "…" not in findings_text(with_first(result, before=code, after=code)).plain


def test_what_a_file_has_said_is_not_said_again_on_a_terminal(result: Result) -> None:
    assert findings_text(result, 80).plain.count("the same on HPU") == 1
    assert findings_text(result).plain.count("the same on HPU") == 2


def test_a_file_with_nothing_but_an_unaccounted_construct(result: Result) -> None:
    forgotten = replace(result, files=(FileResult("pkg/m.py", (), 2),))
    assert findings_text(forgotten).plain.startswith("pkg/m.py: 2 constructs unaccounted for\n")


def test_a_long_construct_is_cut(result: Result) -> None:
    many = with_first(result, before="\n".join(f"line{number}" for number in range(20)))
    text = findings_text(many).plain
    assert "line4\n       ... 15 more lines\n" in text
    assert "line5" not in text


def test_a_source_cannot_steer_the_terminal(result: Result) -> None:
    text = findings_text(with_first(result, before="'\x1b[2J\udcff'", path="\x1b.py")).plain
    assert "\x1b" not in text
    assert r"'\x1b[2J\udcff'" in text
    text.encode("utf-8")


def test_a_name_or_a_line_cannot_pass_for_another(result: Result) -> None:
    text = findings_text(with_first(result, path="a\nb.py:1:1: HPU101", before="'\u202e(x'")).plain
    assert text.splitlines()[0].startswith(r"a\nb.py:1:1: HPU101:12:9: HPU101 exact/none")
    assert r"'\u202e(x'" in text
