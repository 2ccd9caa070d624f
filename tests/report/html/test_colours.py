from __future__ import annotations

import re

import pytest

from porter.report.html.colours import colours


def test_runs_add_up_to_the_line() -> None:
    assert colours("m.py", "def f(x):") == "3k1-1f4-"
    assert colours("m.py", "    return 1  # one") == "4-6k1-1l2-5c"
    assert colours("m.py", "x") == colours("m.py", "") == ""


def test_a_string_that_began_earlier() -> None:
    assert colours("m.py", 'if so""" if x', '"""') == "8s1-2k2-"
    assert colours("m.py", "if so", "'''") == "5s"


@pytest.mark.parametrize(
    ("path", "line", "style"),
    [
        ("Dockerfile", "RUN ls", "k"),
        ("a/run.sh", "# only a comment", "c"),
        ("settings.yaml", "# only a comment", "c"),
        ("no.suffix-known", "# nothing", ""),
    ],
)
def test_files_of_other_kinds(path: str, line: str, style: str) -> None:
    run = colours(path, line)
    assert style in run
    assert bool(style) is bool(run)


@pytest.mark.parametrize("line", ["\0", "\u202e'", "\udc80", "'" * 1000, "🂡 = 1"])
def test_nothing_is_lost_on_strange_text(line: str) -> None:
    run = colours("m.py", line)
    assert run == "" or sum(map(int, re.findall(r"\d+", run))) == len(line)
