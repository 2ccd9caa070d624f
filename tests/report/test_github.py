from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from porter.findings import FileResult, Result, Verdict
from porter.report.github import to_github

BASE = Path("/repo")


def parsed(line: str) -> tuple[str, dict[str, str], str]:
    """A command as the runner reads it: split first, unescaped then."""
    match = re.fullmatch(r"::(\w+) (.*?)::(.*)", line)
    assert match is not None
    pairs = (pair.partition("=") for pair in match[2].split(","))
    return match[1], {key: unescaped(value) for key, _, value in pairs}, unescaped(match[3])


def unescaped(text: str) -> str:
    for code, char in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(code, char)
    return text


def located(result: Result) -> Result:
    return replace(result, folders=("/repo/src",))


def test_one_command_a_finding(result: Result) -> None:
    lines = to_github(located(result), BASE).splitlines()
    assert lines[0] == (
        "::notice file=src/pkg/m.py,line=12,endLine=12,col=9,endColumn=36,"
        "title=HPU101 exact%2C effort none::the same on HPU"
        "%0Atorch.cuda.current_stream()%0A-> torch.hpu.current_stream()"
    )
    assert [parsed(line)[0] for line in lines] == ["notice", "notice", "error", "warning", "error"]
    assert lines[-1].endswith("::1 construct unaccounted for")


@pytest.mark.parametrize(
    "name", ["a,b.py", "a:b::c.py", "100%.py", "a%2Cb.py", "a\n::error ::b.py"]
)
def test_nothing_of_a_source_becomes_a_command(result: Result, name: str) -> None:
    hostile = "x\r\n::error file=a::b%0A, \n::set-output name=a::b"
    first = result.files[0].findings[0]
    finding = replace(first, message=hostile, before=hostile, after=None, verdict=Verdict.REVIEW)
    file = FileResult(name, (finding,), 1)
    (line,) = to_github(located(replace(result, files=(file,))), BASE).splitlines()
    level, properties, message = parsed(line)
    assert (level, properties["file"], message) == ("warning", f"src/{name}", hostile)


def test_columns_belong_to_one_line(result: Result) -> None:
    finding = replace(result.files[0].findings[0], end_line=13, end_column=2)
    file = replace(result.files[0], findings=(finding,), constructs=1)
    _, properties, _ = parsed(to_github(replace(result, files=(file,)), BASE).strip())
    assert (properties["line"], properties["endLine"]) == ("12", "13")
    assert not {"col", "endColumn"} & properties.keys()
