"""Links of the docs lead to files and headings that are there."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


@cache
def tokens(page: Path) -> list[Token]:
    """All of a page in its order; what is inside a line behind the line."""
    found = []
    for token in MarkdownIt("commonmark").enable("table").parse(page.read_text()):
        found += [token, *(token.children or ())]
    return found


def links(page: Path) -> list[str]:
    targets = [token.attrGet("href") or token.attrGet("src") for token in tokens(page)]
    return [str(target) for target in targets if target]


def anchors(page: Path) -> set[str]:
    """The names that GitHub gives to headings."""
    names: set[str] = set()
    found = tokens(page)
    for heading, line in pairwise(found):
        if heading.type == "heading_open":
            text = "".join(child.content for child in line.children or ())
            name = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            again = sum(1 for known in names if re.fullmatch(rf"{re.escape(name)}(-\d+)?", known))
            names.add(f"{name}-{again}" if again else name)
    return names


def broken(page: Path, link: str) -> bool:
    path, _, anchor = unquote(link).partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists() or not target.is_relative_to(ROOT):
        return True
    return bool(anchor) and (target.suffix != ".md" or anchor not in anchors(target))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links(page: Path) -> None:
    inside = [link for link in links(page) if not ELSEWHERE.match(link)]
    assert [link for link in inside if broken(page, link)] == []


def test_every_page_of_the_docs_is_linked() -> None:
    linked = {
        (page.parent / link.partition("#")[0]).resolve() for page in PAGES for link in links(page)
    }
    assert [page for page in PAGES if page.parent != ROOT and page not in linked] == []


def test_a_link_that_leads_nowhere_is_found() -> None:
    readme = ROOT / "README.md"
    assert len(links(readme)) > 5
    for link in ("docs/no.md", "docs/rules", "#no-such-heading", "docs/recipes.md#no", "../x"):
        assert broken(readme, link) == (link != "docs/rules")
    assert not broken(readme, "#set-up")
