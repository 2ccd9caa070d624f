"""What a ported package says is left to do: ``remaining.json`` in its metadata folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from porter.errors import PorterError
from porter.sources.tree import SourceTree
from porter.validate.counter import Construct

_SCHEMA_VERSION = 1
#: The rule that stands for "no rule knows this name": it explains nothing.
_UNKNOWN_NAME = "HPU001"


@dataclass(frozen=True)
class Span:
    """The place of one finding, 1-based; ``end_column`` is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int

    def covers(self, construct: Construct) -> bool:
        start, end = (self.line, self.column), (self.end_line, self.end_column)
        return start <= (construct.line, construct.column) < end

    def touches_line(self, construct: Construct) -> bool:
        return self.line <= construct.line <= self.end_line


@dataclass(frozen=True)
class Remaining:
    """``spans`` are those of the reported findings, by path; ``programs`` are run, not imported."""

    native_modules: tuple[str, ...] = ()
    routed_modules: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    spans: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)

    @classmethod
    def read(cls, tree: SourceTree, path: str) -> Remaining:
        """Raises PorterError where the file is malformed or of another version."""
        try:
            document = json.loads(tree.read(path))
            version = document["schema_version"]
            if version != _SCHEMA_VERSION:
                raise ValueError(f"schema_version {version}, this porter reads {_SCHEMA_VERSION}")
            spans = _spans(document["files"])
            native, routed = document["native_modules"], document["routed_modules"]
            programs = document.get("programs", [])  # wheels of an earlier porter have none
            return cls(tuple(native), tuple(routed), tuple(programs), spans)
        except (ValueError, KeyError, TypeError) as error:
            raise PorterError(
                f"{tree.label}: {path}: not a list of remaining findings ({error}); "
                "build the wheel again with `porter port`"
            ) from error

    def unaccounted(self, path: str, constructs: Iterable[Construct]) -> Iterator[Construct]:
        """Constructs that no finding covers.

        A finding that covers no construct by its place speaks for those on its
        lines: it may start at the next token of the same expression.
        """
        constructs = list(constructs)
        spans = self.spans.get(path, ())
        idle = [span for span in spans if not any(map(span.covers, constructs))]
        for construct in constructs:
            covered = any(span.covers(construct) for span in spans)
            if not covered and not any(span.touches_line(construct) for span in idle):
                yield construct


def _spans(files: list[dict[str, Any]]) -> dict[str, tuple[Span, ...]]:
    return {file["path"]: tuple(_reported(file["findings"])) for file in files}


def _reported(findings: list[dict[str, Any]]) -> Iterator[Span]:
    for finding in findings:
        if finding["status"] == "reported" and finding["rule"] != _UNKNOWN_NAME:
            place = (finding[key] for key in ("line", "column", "end_line", "end_column"))
            yield Span(*map(int, place))
