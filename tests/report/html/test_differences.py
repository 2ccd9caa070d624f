from __future__ import annotations

import pytest

from porter.findings import Edit
from porter.report.html.differences import applied, compared


def test_only_the_words_that_differ() -> None:
    text = "x = torch.cuda.Stream(0)"
    after, before_marks, after_marks = applied(
        text, [Edit(4, 21, "torch.hpu.Stream"), Edit(21, 24, "()")]
    )
    assert after == "x = torch.hpu.Stream()"
    assert [text[a:b] for a, b in before_marks] == ["cuda", "0"]
    assert [after[a:b] for a, b in after_marks] == ["hpu", ""]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ("abc", "abc"),
        ("abc", ""),
        ("", "abc"),
        ("abcabc", "abxabc"),
        ("aaaa", "aa"),
        ("ab" * 400, "ba" * 400),
        ("a" + "b" * 5000 + "a", "c" + "b" * 5000 + "c"),
    ],
)
def test_the_codes_lead_from_the_one_to_the_other(old: str, new: str) -> None:
    at = to = 0
    for tag, first, last, other, end in compared(old, new):
        assert (first, other) == (at, to)
        assert (old[first:last] == new[other:end]) is (tag == "equal")
        at, to = last, end
    assert (at, to) == (len(old), len(new))
