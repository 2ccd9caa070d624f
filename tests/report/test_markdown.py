"""The comment is judged by a reader of CommonMark."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from porter.findings import FileResult, Result
from porter.report.markdown import to_markdown

BASE = Path("/repo")
HOSTILE = [
    "</details><script>alert(1)</script>",
    "```\n</details>\n# heading\n````",
    "<!-- comment",
    "[link](https://example.org) ![image](x) `code` *bold* | cell |",
    "@everyone see #12 and https://example.org",
    "x = '\u202e# reordered'\x1b[2J\x00",
]


def tokens(text: str) -> list[Token]:
    flat = []
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        flat += [token, *(token.children or ())]
    return flat


def html(text: str) -> list[str]:
    """What is not escaped, comments that break references aside."""
    found = (token.content.strip() for token in tokens(text) if token.type.startswith("html"))
    return [item for item in found if item != "<!-- -->"]


def with_first(result: Result, **changes: object) -> Result:
    file = result.files[0]
    first = replace(file.findings[0], **changes)  # type: ignore[arg-type]
    return replace(result, files=(replace(file, findings=(first,), constructs=1),))


def test_the_whole_comment(result: Result) -> None:
    text = to_markdown(replace(result, folders=("/repo/src",)), BASE)
    assert text.startswith(
        "### porter: CUDA on HPU\n\n"
        "7 constructs in 2 files: 2 fixable, 4 reported, 1 unaccounted for\n\n"
        "| verdict | effort | fixable | reported |\n|---|---|---|---|\n| exact | none | 1 | - |\n"
    )
    assert (
        "<details><summary><code>src/pkg/m.py</code>: 3 findings</summary>\n\n"
        "- **HPU101** line 12, exact/none: the same on HPU\n\n"
        "  ```diff\n  - torch.cuda.current_stream()\n  + torch.hpu.current_stream()\n  ```\n\n"
    ) in text
    assert text.count("the same on HPU") == 1
    assert text.count("<details>") == text.count("</details>") == 2
    assert "%" not in text


def test_rules_link_to_their_pages(result: Result) -> None:
    text = to_markdown(result, BASE, "https://example.org/rules/")
    assert "- **[HPU101](https://example.org/rules/HPU101.md)** line 12" in text


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("place", ["message", "before", "after", "path"])
def test_nothing_of_a_source_is_markup(result: Result, place: str, text: str) -> None:
    if place == "path":
        shown = replace(with_first(result), files=(replace(result.files[0], path=text),))
    else:
        shown = with_first(result, **{place: text})
    page = to_markdown(shown, BASE)
    opened = [item for item in html(page) if "<details>" in item]
    assert len(opened) == 1
    assert "script" not in re.sub("&lt;/?script&gt;", "", opened[0])
    assert html(page)[-1] == "</details>"
    assert len(html(page)) == 2
    kinds = {token.type for token in tokens(page)}
    assert not kinds & {"link_open", "image", "em_open", "code_inline"}
    assert sum(token.type == "heading_open" for token in tokens(page)) == 1
    assert not re.search("[\x00\x1b\u202e]", page)
    prose = [token.content for token in tokens(page) if token.type == "text"]
    assert not any(re.search(r"[@#]\w", item) for item in prose if place == "message")


@pytest.mark.parametrize("limit", [1500, 5000, 65_536])
def test_a_comment_has_a_limit_and_says_what_is_left_out(result: Result, limit: int) -> None:
    finding = replace(result.files[0].findings[0], message="𝄞 " * 40, before="x = 1\n" * 99)
    files = tuple(
        FileResult(f"pkg/{number}.py", tuple(replace(finding, line=n + 1) for n in range(9)), 9)
        for number in range(200)
    )
    text = to_markdown(Result(("pkg",), files), BASE, limit=limit)
    assert len(text.encode("utf-16-le")) // 2 <= limit
    left = re.search(r"And (\d+) more findings, for which a comment has no room\.\n\Z", text)
    assert left is not None
    assert int(left[1]) + text.count("- **HPU101**") == 1800
    assert text.count("<details>") == text.count("</details>")
    assert "... 88 more lines" in text or limit == 1500


def test_nothing_found() -> None:
    assert to_markdown(Result(("pkg",), ()), BASE) == (
        "### porter: CUDA on HPU\n\nno CUDA constructs\n"
    )


def test_a_long_line_is_cut(result: Result) -> None:
    assert len(to_markdown(with_first(result, before="x" * 20_000), BASE)) < 1500
