"""What a run of the codemods may be told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from porter.selection import Selection


@dataclass(frozen=True)
class Options:
    """``select`` and ``ignore`` are rule ids or their beginnings (``HPU3``).

    ``file_ignores`` are more of the latter for path patterns, which speak of paths
    below ``within``: where the source lies in its project, as ``src/``.
    ``routes`` maps a native extension module to the module that takes its
    place; its imports are rewritten and its calls reported until ``implemented``
    names them. ``cuda_only`` are path patterns of modules that only ever run
    on CUDA: they are reported and left alone. With ``report_ignored`` what a comment
    says to ignore is left alone too, but reported. With ``hunks`` the findings are
    told theirs; with a ``selection`` only the hunks that it lets through are edited.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    file_ignores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    within: str = ""
    routes: Mapping[str, str] = field(default_factory=dict)
    implemented: frozenset[str] = frozenset()
    cuda_only: tuple[str, ...] = ()
    add_imports: bool = True
    report_ignored: bool = False
    hunks: bool = False
    selection: Selection | None = None

    def document(self) -> dict[str, Any]:
        """What decides which hunks there are, as JSON data."""
        return {
            "select": list(self.select),
            "ignore": list(self.ignore),
            "file_ignores": {pattern: list(ids) for pattern, ids in self.file_ignores.items()},
            "routes": dict(self.routes),
            "implemented": sorted(self.implemented),
            "cuda_only": list(self.cuda_only),
        }

    @classmethod
    def of_selection(cls, selection: Selection) -> Options:
        """What the review was told that ``selection`` comes from.

        Raises PorterError that names its file for options that are none.
        """
        table = selection.options.only(*cls().document())
        by_file = table.table("file_ignores")
        return cls(
            select=table.texts("select"),
            ignore=table.texts("ignore"),
            file_ignores={pattern: by_file.texts(pattern) for pattern in by_file.free()},
            routes=table.table("routes").strings(),
            implemented=frozenset(table.texts("implemented")),
            cuda_only=table.texts("cuda_only"),
        )

    def selects(self, rule: str, path: str) -> bool:
        """Whether a rule is asked for in the file ``path`` of the source."""
        chosen = not self.select or rule.startswith(self.select)
        return chosen and not rule.startswith((*self.ignore, *self._ignored_in(path)))

    def _ignored_in(self, path: str) -> Iterator[str]:
        for pattern, rules in self.file_ignores.items():
            if fnmatchcase(f"{self.within}{path}", pattern):
                yield from rules

    def is_implemented(self, name: str) -> bool:
        """Whether an operation, or the class that an attribute belongs to, is ours already."""
        return any(name == ours or name.startswith(f"{ours}.") for ours in self.implemented)

    def leaves_alone(self, path: str) -> bool:
        return any(fnmatchcase(path, pattern) for pattern in self.cuda_only)
