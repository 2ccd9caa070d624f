"""The result model. Every output format is a view of it.

It sits below every other package, so that scan, codemods and report share it
without importing one another.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path


class Verdict(str, Enum):
    """How close the HPU counterpart is to the CUDA construct."""

    EXACT = "exact"
    MODIFIED = "modified"
    NO_OP = "no-op"
    REVIEW = "review"
    UNSUPPORTED = "unsupported"


class Effort(str, Enum):
    """What is left for a person to do."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Status(str, Enum):
    """What porter did, or would do, about a construct."""

    FIXABLE = "fixable"
    REWRITTEN = "rewritten"
    REPORTED = "reported"


@dataclass(frozen=True, order=True)
class Edit:
    """Replace ``text[start:end]`` of a file by ``replacement``; offsets count characters."""

    start: int
    end: int
    replacement: str


@dataclass(frozen=True)
class Finding:
    """One decision about one or more CUDA constructs.

    ``line`` and ``column`` are 1-based and point into the file that was read;
    ``end_column`` is exclusive. ``before`` is the text of the construct,
    ``after`` what takes its place, or None where the code is left as it was.
    ``name`` is the construct's own: dotted for what has such a name. ``edits``
    may be empty where another finding's edit converts this one too, such as
    that of the import that an alias comes from. ``hunk`` is the id of what a
    reviewer decides at once: findings whose edits depend on each other share it.
    """

    rule: str
    verdict: Verdict
    effort: Effort
    status: Status
    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    before: str
    after: str | None
    message: str
    url: str
    name: str = ""
    constructs: int = 1
    edits: tuple[Edit, ...] = ()
    hunk: str = ""

    @property
    def place(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


class IgnoredBy(str, Enum):
    """Who said that a finding is to be left as it is."""

    COMMENT = "comment"
    BASELINE = "baseline"


@dataclass(frozen=True)
class Ignored:
    """A finding that is known and left as it is; ``reason`` is what a comment says about it."""

    finding: Finding
    by: IgnoredBy
    reason: str = ""


@dataclass(frozen=True)
class FileResult:
    """What was found in one file.

    ``constructs`` counts the CUDA constructs that the scanner saw, without those
    of ``ignored``; those that no finding covers are unaccounted for. ``edits`` are
    all edits of the file, including added imports, which are no constructs.
    ``digest`` is the SHA-256 of the bytes that were read, empty where there was
    only text. ``source`` is the place of the file's source among those of the result.
    ``withheld`` are the hunks that a selection kept out.
    """

    path: str
    findings: tuple[Finding, ...]
    constructs: int
    edits: tuple[Edit, ...] = ()
    digest: str = ""
    ignored: tuple[Ignored, ...] = ()
    source: int = 0
    withheld: tuple[str, ...] = ()

    @property
    def unaccounted(self) -> int:
        return self.constructs - sum(finding.constructs for finding in self.findings)

    def adding(self, findings: Iterable[Finding]) -> FileResult:
        """With more findings, each of one construct that the scanner did not count."""
        more = tuple(findings)
        return replace(
            self,
            findings=in_order((*self.findings, *more)),
            constructs=self.constructs + len(more),
        )

    def setting_aside(self, by: Mapping[Finding, Ignored]) -> FileResult:
        """Without the findings that are keys of ``by``: these are ignored."""
        aside = tuple(by[finding] for finding in self.findings if finding in by)
        return replace(
            self,
            findings=tuple(finding for finding in self.findings if finding not in by),
            constructs=self.constructs - sum(item.finding.constructs for item in aside),
            ignored=(*self.ignored, *aside),
        )


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """By their places in a file."""
    return tuple(sorted(findings, key=lambda finding: (finding.line, finding.column)))


@dataclass(frozen=True)
class Summary:
    """Numbers of constructs; ``constructs`` is the sum of the others but ``ignored``."""

    constructs: int
    fixable: int
    rewritten: int
    reported: int
    unaccounted: int
    ignored: int


@dataclass(frozen=True)
class Result:
    """The findings of one run, in the order of paths and places.

    ``folders`` are the folders that the paths are relative to, one a source, empty
    for an archive, whose files lie in no folder of the user's.
    """

    sources: tuple[str, ...]
    files: tuple[FileResult, ...]
    folders: tuple[str, ...] = ()

    def findings(self) -> Iterator[Finding]:
        for file in self.files:
            yield from file.findings

    def summary(self) -> Summary:
        counts = dict.fromkeys(Status, 0)
        for finding in self.findings():
            counts[finding.status] += finding.constructs
        return Summary(
            constructs=sum(file.constructs for file in self.files),
            fixable=counts[Status.FIXABLE],
            rewritten=counts[Status.REWRITTEN],
            reported=counts[Status.REPORTED],
            unaccounted=sum(file.unaccounted for file in self.files),
            ignored=sum(item.finding.constructs for file in self.files for item in file.ignored),
        )

    def place(self, file: FileResult, base: Path) -> str:
        """The path of ``file`` from ``base``, with ``/``: absolute where it lies elsewhere.

        For an archive it is the path inside.
        """
        folder = self.folders[file.source] if self.folders else ""
        path = Path(folder, file.path)
        return (path.relative_to(base) if path.is_relative_to(base) else path).as_posix()

    def rewritten(self) -> Result:
        """The same result after its edits were applied: what was fixable is rewritten."""
        return replace(self, files=tuple(_as_rewritten(file) for file in self.files))


def merge(results: Iterable[Result]) -> Result:
    """One result out of several, one a source."""
    results = list(results)
    return Result(
        sources=tuple(source for result in results for source in result.sources),
        files=tuple(
            replace(file, source=number)
            for number, result in enumerate(results)
            for file in result.files
        ),
        folders=tuple(folder for result in results for folder in result.folders),
    )


def edits_within(edits: Sequence[Edit], span: tuple[int, int]) -> list[Edit]:
    """Those of ``edits`` (sorted) that lie inside a span, counted from its start."""
    start, end = span
    first = bisect_left(edits, start, key=lambda edit: edit.start)
    last = bisect_right(edits, end, lo=first, key=lambda edit: edit.start)
    return [
        Edit(edit.start - start, edit.end - start, edit.replacement)
        for edit in edits[first:last]
        if edit.end <= end
    ]


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """Apply edits that do not overlap. Raises ValueError where two of them do."""
    pieces: list[str] = []
    position = 0
    for edit in sorted(edits):
        if edit.start < position:
            raise ValueError(f"overlapping edit at character {edit.start}: {edit.replacement!r}")
        pieces += (text[position : edit.start], edit.replacement)
        position = edit.end
    pieces.append(text[position:])
    return "".join(pieces)


def _as_rewritten(file: FileResult) -> FileResult:
    findings = tuple(
        replace(finding, status=Status.REWRITTEN) if finding.status is Status.FIXABLE else finding
        for finding in file.findings
    )
    return replace(file, findings=findings)
