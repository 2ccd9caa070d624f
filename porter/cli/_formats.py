"""``--format`` of the commands that show findings: views of one result."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import click

from porter.codemods.engine import decoded
from porter.findings import FileResult, Result
from porter.report.json import dumps, to_json
from porter.rulebook import Rulebook
from porter.sources.tree import SourceTree

TEXT = "text"


def findings_format(command: Callable[..., None]) -> Callable[..., None]:
    """``--format``, passed as ``style``."""
    return click.option(
        "--format",
        "style",
        type=click.Choice([TEXT, *_DOCUMENTS]),
        default=TEXT,
        show_default=True,
        help="text for people, json for programs, sarif for code scanning, github for annotations "
        "of a workflow, markdown for a pull request.",
    )(command)


@dataclass(frozen=True)
class Shown:
    """A result and what its views need: its sources, the rules, and where their pages are read."""

    result: Result
    trees: Sequence[SourceTree]
    book: Rulebook
    rule_pages: str | None = None


def document(style: str, shown: Shown) -> bytes:
    """In a format other than text, in UTF-8."""
    return _DOCUMENTS[style](shown).encode("utf-8", "surrogateescape")


def _json(shown: Shown) -> str:
    return dumps(to_json(shown.result))


def _sarif(shown: Shown) -> str:
    from porter.report.sarif import to_sarif  # noqa: PLC0415 - most runs do without

    texts = Texts(shown.trees)
    return dumps(to_sarif(shown.result, shown.book, _repository(), texts, shown.rule_pages))


def _github(shown: Shown) -> str:
    from porter.report.github import to_github  # noqa: PLC0415

    return to_github(shown.result, _repository())


def _markdown(shown: Shown) -> str:
    from porter.report.markdown import to_markdown  # noqa: PLC0415

    return to_markdown(shown.result, _repository(), shown.rule_pages)


_DOCUMENTS: Mapping[str, Callable[[Shown], str]] = {
    "json": _json,
    "sarif": _sarif,
    "github": _github,
    "markdown": _markdown,
}


def _repository() -> Path:
    """The folder that GitHub counts paths from; elsewhere the current one."""
    here = Path.cwd()
    workspace = Path(os.environ.get("GITHUB_WORKSPACE", ""))
    return workspace if workspace.is_absolute() and here.is_relative_to(workspace) else here


class Texts:
    """What the findings of a file speak of, unless the file was changed since."""

    def __init__(self, trees: Sequence[SourceTree]) -> None:
        self._trees = trees

    def __call__(self, file: FileResult) -> str | None:
        try:
            data = self._trees[file.source].read(file.path)
            unchanged = sha256(data).hexdigest() == file.digest
            return decoded(file.path, data) if unchanged else None
        except (OSError, SyntaxError, UnicodeDecodeError):
            return None
