"""What a ported package says is left to do: ``remaining.json`` in its metadata folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from porter.sources.tree import SourceTree
from porter.validate.counter import Construct
from porter.validate.enclosed import enclosed

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
    def of(cls, tree: SourceTree, files: Iterable[str]) -> Remaining:
        """What an unpacked wheel says; nothing where it says nothing.

        Raises PorterError where the document is malformed or of another version.
        """
        documents = enclosed(tree, files, "remaining.json", "list of remaining findings", _parsed)
        return next(documents, cls())

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


def _parsed(document: Any, path: str) -> Remaining:
    return Remaining(
        native_modules=tuple(document["native_modules"]),
        routed_modules=tuple(document["routed_modules"]),
        programs=tuple(document.get("programs", ())),  # wheels of an earlier porter have none
        spans=_spans(document["files"]),
    )


def _spans(files: list[dict[str, Any]]) -> dict[str, tuple[Span, ...]]:
    return {file["path"]: tuple(_reported(file["findings"])) for file in files}


def _reported(findings: list[dict[str, Any]]) -> Iterator[Span]:
    for finding in findings:
        if finding["status"] == "reported" and finding["rule"] != _UNKNOWN_NAME:
            place = (finding[key] for key in ("line", "column", "end_line", "end_column"))
            yield Span(*map(int, place))
