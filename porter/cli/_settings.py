"""``[tool.porter]`` of the pyproject.toml around a source."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from porter.errors import PorterError
from porter.rulebook import Rulebook
from porter.sources.tree import SourceTree
from porter.table import Table
from porter.toml import read_toml

_KEYS = ("select", "ignore", "exclude", "per-file-ignores", "rule-pages")


@dataclass(frozen=True)
class Settings:
    """``select`` and ``ignore`` are rule ids, or their beginnings.

    ``exclude`` are path patterns (``tests/*``) of files that are not read, and the keys of
    ``file_ignores`` too; they speak of paths from the folder of the pyproject.toml, in which
    the source lies at ``within``. ``rule_pages`` is the URL at which docs/rules/ is read.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    file_ignores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    within: str = ""
    rule_pages: str | None = None

    @classmethod
    def of(cls, tree: SourceTree, book: Rulebook) -> Settings:
        """Those of the project around a folder or a file; an archive has none of the user's.

        Raises PorterError, naming the file and the key, for what cannot be meant.
        """
        path = _project_file(tree.root) if tree.writable else None
        if path is None:
            return cls()
        tools = Table(read_toml(path), str(path)).table("tool").free()
        table = Table(tools.get("porter", {}), f"{path}: [tool.porter]").only(*_KEYS)
        by_file = table.table("per-file-ignores")
        settings = cls(
            select=table.texts("select"),
            ignore=table.texts("ignore"),
            exclude=table.texts("exclude"),
            file_ignores={pattern: by_file.texts(pattern) for pattern in by_file.free()},
            within=_within(path.parent, tree.root),
            rule_pages=_url(table, "rule-pages"),
        )
        require_rules(settings.select, book, f"{table.place}: select: ")
        require_rules(settings.ignore, book, f"{table.place}: ignore: ")
        for pattern, rules in settings.file_ignores.items():
            require_rules(rules, book, f"{by_file.place}: {pattern!r}: ")
        return settings


def require_rules(ids: Iterable[str], book: Rulebook, place: str = "") -> None:
    """Raise PorterError for the first of ``ids`` that no rule's id begins with."""
    for beginning in ids:
        if not any(rule.id.startswith(beginning) for rule in book):
            raise PorterError(f"{place}{beginning}: no such rule; `porter rules list` shows them")


def _project_file(folder: Path) -> Path | None:
    """The nearest pyproject.toml, up to the top of the git tree."""
    for place in (folder.absolute(), *folder.absolute().parents):
        if (place / "pyproject.toml").is_file():
            return place / "pyproject.toml"
        if (place / ".git").exists():
            return None
    return None


def _url(table: Table, key: str) -> str | None:
    url = table.optional_text(key)
    if url is not None and not url.startswith(("https://", "http://")):
        raise table.error(f"{key} must be a URL, such as https://example.org/porter/docs/rules")
    return url


def _within(project: Path, folder: Path) -> str:
    inside = os.path.relpath(folder, project).replace(os.sep, "/")
    return "" if inside == "." else f"{inside}/"
