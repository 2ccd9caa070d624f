"""The review page as one HTML file that needs nothing else, and lets nothing of the source run."""

from __future__ import annotations

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from porter import __version__
from porter.findings import Effort, Result, Verdict
from porter.report.html.document import Read, Rung, page_data
from porter.rulebook import Rulebook
from porter.selection import Selection

_ASSETS = Path(__file__).parent / "assets"
#: In the order in which they run.
_SCRIPTS = (
    "data.js",
    "decisions.js",
    "code.js",
    "rules.js",
    "detail.js",
    "list.js",
    "overview.js",
    "page.js",
)
#: A script element ends at its end tag alone; the others are for readers of the HTML.
_ESCAPES = {ord(char): f"\\u{ord(char):04x}" for char in "<>&"}


def review_page(
    result: Result,
    book: Rulebook,
    read: Read,
    options: Mapping[str, Any],
    *,
    ladder: Sequence[Rung],
    earlier: Selection | None = None,
) -> str:
    """The HTML text; the arguments are those of ``page_data``, and the ladder that was climbed."""
    style = _asset("review.css")
    scripts = [_asset(name) for name in _SCRIPTS]
    data = page_data(result, book, read, options, earlier)
    return (
        _environment()
        .get_template("review.html.j2")
        .render(
            policy=_policy(style, scripts),
            style=Markup(style),
            scripts=[Markup(script) for script in scripts],
            data=Markup(_embedded(data)),
            source=data["source"],
            version=__version__,
            summary=result.summary(),
            table=_table(result),
            ladder=ladder,
            files=len(result.files),
            findings=sum(len(file.findings) for file in result.files),
        )
    )


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_ASSETS),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        finalize=_visible,
    )


def _asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")


def _policy(style: str, scripts: Sequence[str]) -> str:
    """Nothing is loaded, sent or run but what porter wrote, known by its hash."""
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {' '.join(map(_hash, scripts))}",
            f"style-src {_hash(style)}",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _embedded(data: Mapping[str, Any]) -> str:
    """JSON in ASCII without a character that HTML knows."""
    return json.dumps(data, separators=(",", ":")).translate(_ESCAPES)


def _visible(value: object) -> object:
    """Characters of a text that show nothing, or turn it around, as their code points."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return "".join(char if char.isprintable() else f"⟨U+{ord(char):04X}⟩" for char in value)


def _table(result: Result) -> list[tuple[str, str, int, int]]:
    """Verdict, effort, and how many constructs are changed and reported."""
    counts = Counter[tuple[Verdict, Effort, bool]]()
    for finding in result.findings():
        key = (finding.verdict, finding.effort, finding.after is not None)
        counts[key] += finding.constructs
    return [
        (verdict.value, effort.value, counts[verdict, effort, True], counts[verdict, effort, False])
        for verdict in Verdict
        for effort in Effort
        if counts[verdict, effort, True] or counts[verdict, effort, False]
    ]
