from __future__ import annotations

from pathlib import Path

import pytest

from porter.validate.rung import Failure
from porter.validate.source_files import read_source


def test_the_text_of_a_good_module() -> None:
    data = "# -*- coding: latin-1 -*-\nx = 'é'\r\n".encode("latin-1")
    assert read_source(data, "a.py") == data.decode("latin-1")
    assert read_source(b"", "a.py") == ""


@pytest.mark.parametrize(
    ("data", "line", "what"),
    [
        (b"x = 1\ny = (", 2, "does not compile"),
        (b"x = 1\nreturn x\n", 2, "does not compile: 'return' outside function"),
        (b"x = '\xe9'\n", 1, "does not compile"),
        (b"# coding: nonsense\n", 1, "does not compile"),
        (b"x = 1\0\n", 1, "does not compile"),
        (b"x = 1\n<<<<<<< ours\nx = 2\n", 2, "a conflict marker"),
        (b'"""\na\n>>>>>>> theirs\n"""\n', 3, "a conflict marker"),
        (b'"""\n|||||||\n"""\n', 2, "a conflict marker"),
        (b"if x:\r\n<<<<<<< ours\r\n    y\r\n", 2, "a conflict marker"),
    ],
)
def test_what_is_wrong(data: bytes, line: int, what: str) -> None:
    failure = read_source(data, "pkg/a.py")
    assert isinstance(failure, Failure)
    assert (failure.path, failure.line) == ("pkg/a.py", line)
    assert failure.what.startswith(what)
    assert "\n" not in str(failure)


@pytest.mark.parametrize(
    "text", ['"""\nTitle\n=======\n"""', '""">>> doctest"""', "x = '''\n<<<<<<<< eight\n'''"]
)
def test_no_conflict_marker(text: str) -> None:
    assert read_source(text.encode(), "a.py") == text


def test_nothing_is_written_and_nothing_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    read_source(b"open('ran', 'w')", "a.py")
    assert list(tmp_path.iterdir()) == []
