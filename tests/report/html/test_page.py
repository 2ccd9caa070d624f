"""The file as text: what a browser is told, and that nothing of a source becomes HTML."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from porter.codemods.options import Options

Review = Callable[..., Path]

HOSTILE = (
    "import torch\n"
    "x = torch.device('cuda')  # </script><script>window.ran = 1</script><!-- \" ' ` \u202e\u2066\n"
    "s = '\u2028\u2029\u200b</textarea><img src=x onerror=alert(1)>', torch.cuda.current_device()\n"
)


class Elements(HTMLParser):
    """All tags, and the text behind each up to the next one."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.ended = True

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.texts.append("")
        self.ended = False

    def handle_endtag(self, tag: str) -> None:
        self.ended = True

    def handle_data(self, data: str) -> None:
        if not self.ended:
            self.texts[-1] += data


def parsed(page: Path) -> Elements:
    elements = Elements()
    elements.feed(page.read_text(encoding="utf-8"))
    return elements


def data_of(page: Path) -> dict[str, Any]:
    elements = parsed(page)
    (text,) = [
        text
        for (tag, attributes), text in zip(elements.tags, elements.texts, strict=True)
        if tag == "script" and attributes.get("type") == "application/json"
    ]
    document: dict[str, Any] = json.loads(text)
    return document


@pytest.fixture
def hostile_page(review: Review, tmp_path: Path) -> Path:
    source = tmp_path / "a \"<b>&'\n$.dir"
    source.mkdir()
    (source / "<img src=x onerror=alert(2)>.py").write_text(HOSTILE, encoding="utf-8")
    (source / "nul.py").write_bytes(b"import torch\ntorch.cuda.synchronize()\0</script>\n")
    return review(source, tmp_path / "review.html")


def test_only_scripts_and_styles_of_ours_may_run(sample_page: Path) -> None:
    elements = parsed(sample_page)
    (policy,) = [
        attributes["content"]
        for tag, attributes in elements.tags
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy is not None
    rules = dict(rule.partition(" ")[::2] for rule in policy.split("; "))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    for kind, directive in (("script", "script-src"), ("style", "style-src")):
        hashes = {
            f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
            for (tag, attributes), text in zip(elements.tags, elements.texts, strict=True)
            if tag == kind and "type" not in attributes
        }
        assert hashes == set(rules[directive].split())


def test_nothing_is_fetched_and_no_attribute_runs(sample_page: Path, hostile_page: Path) -> None:
    for page in (sample_page, hostile_page):
        for tag, attributes in parsed(page).tags:
            assert tag not in ("link", "img", "iframe", "object", "embed", "base")
            assert not attributes.keys() & {"src", "srcset", "style"}
            assert not [name for name in attributes if name.startswith("on")]
            assert (attributes.get("href") or "#").startswith("#")


def test_a_source_cannot_leave_its_data(sample_page: Path, hostile_page: Path) -> None:
    """The elements are those of any page, whatever the source says."""

    def skeleton(page: Path) -> list[str]:
        return [tag for tag, _ in parsed(page).tags if tag in ("script", "style", "textarea")]

    assert skeleton(hostile_page) == skeleton(sample_page)
    text = hostile_page.read_text(encoding="utf-8")
    assert not re.search("[\0\u202e\u2066\u2028\u2029\u200b]", text)
    rows = json.dumps(data_of(hostile_page)["files"])
    assert "</script><script>window.ran" in rows
    assert "\\u202e" in rows


def test_the_title_shows_what_a_name_hides(hostile_page: Path) -> None:
    text = hostile_page.read_text(encoding="utf-8")
    assert "⟨U+000A⟩$.dir" in text
    assert "a &#34;&lt;b&gt;&amp;&#39;" in text


def test_the_data_has_every_finding_with_its_code(sample_page: Path) -> None:
    data = data_of(sample_page)
    findings = [finding for file in data["files"] for finding in file["findings"]]
    assert len(findings) == 26
    assert all(finding["windows"] for finding in findings)
    assert {finding["rule"] for finding in findings} == data["rules"].keys()
    assert data["options"] == Options().document()


def test_the_overview_adds_up_without_a_script(sample_page: Path) -> None:
    text = re.sub(r"\s+", " ", sample_page.read_text(encoding="utf-8"))
    assert "<b>26</b> CUDA constructs" in text
    assert "<b>17</b> converted" in text
    assert "<b>9</b> reported" in text
    assert "<b>0</b> unaccounted for" in text
    for rung in ("static", "import", "contract", "run", "serve"):
        assert f'<th scope="row">{rung}</th>' in text
    assert "Does not prove that the code runs, or computes the right numbers." in text


def test_a_page_without_findings(review: Review, tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text("x = 1\n")
    page = review(tmp_path, tmp_path / "review.html")
    assert "there is nothing to review" in page.read_text(encoding="utf-8")


def test_many_findings_of_one_long_line_stay_small(review: Review, tmp_path: Path) -> None:
    line = "x = [" + ", ".join(["torch.cuda.current_device()"] * 100) + "]" + " # é" * 4000
    (tmp_path / "long.py").write_text("\n".join(["import torch", *[line] * 5]), encoding="utf-8")
    page = review(tmp_path, tmp_path / "review.html")
    assert len(data_of(page)["files"][0]["findings"]) == 500
    assert page.stat().st_size < 1_500_000
