"""The result as text for a terminal, a log, or grep.

The functions give rich texts: print ``.plain`` where colours do not belong.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len
from rich.text import Span, Text

from porter.findings import Effort, FileResult, Finding, Result, Status, Verdict
from porter.report.visible import visible
from porter.wording import plural

VERDICT_STYLES = {
    Verdict.EXACT: "green",
    Verdict.MODIFIED: "cyan",
    Verdict.NO_OP: "blue",
    Verdict.REVIEW: "yellow",
    Verdict.UNSUPPORTED: "red",
}
#: Text and its style, none where that is empty; a line has several.
Piece = tuple[str, str]
Line = tuple[Piece, ...]

_END = ("\n", "")
_SHOWN_LINES = 6
_INDENT = " " * 7
_ARROW = "    -> "


def findings_text(result: Result, width: int | None = None) -> Text:
    """All findings, a paragraph a file, then the summary.

    A finding is one line, and indented below it the text before and after. With
    ``width`` (columns) a message that is too long stands in lines of its own, one
    that a file has already shown is not said again, and code is cut.
    """
    pieces: list[Piece] = []
    for file in result.files:
        if file.findings or file.unaccounted:
            pieces += (piece for line in _file_lines(file, width) for piece in (*line, _END))
            pieces.append(_END)
    return _styled(pieces).append_text(summary_text(result))


def summary_text(result: Result) -> Text:
    """Counts of constructs by verdict and effort, then the totals in one sentence."""
    heads, *rows = summary_rows(result) or [()]
    return Text("\n").join([*_table(heads, rows), totals_text(result)])


def summary_rows(result: Result) -> list[tuple[str, ...]]:
    """Counts of constructs by verdict and effort, below their heads; empty without findings."""
    counts = Counter[tuple[Verdict, Effort, Status]]()
    for finding in result.findings():
        counts[finding.verdict, finding.effort, finding.status] += finding.constructs
    if not counts:
        return []
    columns = [
        status
        for status in Status
        if status is Status.REPORTED or any(key[2] is status for key in counts)
    ]
    rows = [("verdict", "effort", *(status.value for status in columns))]
    for verdict in Verdict:
        for effort in Effort:
            cells = [counts[verdict, effort, status] for status in columns]
            if any(cells):
                rows.append((verdict.value, effort.value, *(str(count or "-") for count in cells)))
    return rows


def totals_text(result: Result) -> Text:
    """The totals in one sentence."""
    summary = result.summary()
    ignored = f"; {summary.ignored} ignored" if summary.ignored else ""
    if not summary.constructs:
        return Text(f"no CUDA constructs{ignored}")
    done = [
        f"{count} {status.value}"
        for status, count in (
            (Status.FIXABLE, summary.fixable),
            (Status.REWRITTEN, summary.rewritten),
        )
        if count
    ]
    files = sum(bool(file.constructs) for file in result.files)
    found = f"{plural(summary.constructs, 'construct')} in {plural(files, 'file')}: "
    unaccounted = Text(
        f"{summary.unaccounted} unaccounted for", "bold red" if summary.unaccounted else ""
    )
    reported = f"{summary.reported} reported"
    return Text.assemble(found, ", ".join([*done, reported, ""]), unaccounted, ignored)


def _styled(pieces: Iterable[Piece]) -> Text:
    """At once: to append thousands of pieces one by one takes rich long."""
    texts: list[str] = []
    spans: list[Span] = []
    place = 0
    for text, style in pieces:
        texts.append(text)
        if style:
            spans.append(Span(place, place + len(text), style))
        place += len(text)
    return Text("".join(texts), spans=spans)


def _file_lines(file: FileResult, width: int | None) -> Iterator[Line]:
    said: set[str] = set()
    for finding in file.findings:
        message = visible(" ".join(finding.message.split()))
        yield from _head(finding, "" if message in said else message, width)
        yield from _change(finding, width)
        if width is not None:
            said.add(message)
    if file.unaccounted:
        count = plural(file.unaccounted, "construct")
        yield ((f"{visible(file.path)}: {count} unaccounted for", "bold red"),)


def _head(finding: Finding, message: str, width: int | None) -> Iterator[Line]:
    head = (
        (visible(finding.place), "bold"),
        (": ", ""),
        (finding.rule, "bold"),
        (" ", ""),
        (f"{finding.verdict.value}/{finding.effort.value}", VERDICT_STYLES[finding.verdict]),
    )
    whole = "".join(text for text, _ in head)
    if width is None or cell_len(whole) + 2 + len(message) <= width:
        yield (*head, (f"  {message}" if message else "", ""))
    else:
        yield head
        yield from (((f"  {line}", ""),) for line in textwrap.wrap(message, max(width - 2, 20)))


def _change(finding: Finding, width: int | None) -> Iterator[Line]:
    if finding.before:
        style = "dim" if finding.after is None else "red"
        yield from _block(finding.before, _INDENT, style, width)
    if finding.after is not None:
        yield from _block(finding.after.strip() or "(nothing)", _ARROW, "green", width)


def _block(code: str, lead: str, style: str, width: int | None) -> Iterator[Line]:
    """The code with its own indentation kept between lines, cut where it is long."""
    first, *others = code.splitlines() or [""]
    lines = [first, *textwrap.dedent("\n".join(others)).splitlines()] if others else [first]
    if len(lines) > _SHOWN_LINES:
        lines[_SHOWN_LINES - 1 :] = [f"... {len(lines) - _SHOWN_LINES + 1} more lines"]
    for line in lines:
        shown = visible(line)
        if width is not None:
            shown = _cut(shown, width - len(lead))
        yield (lead, ""), (shown, style)
        lead = _INDENT


def _cut(line: str, width: int) -> str:
    text = Text(line.expandtabs())
    text.truncate(max(width, 1), overflow="ellipsis")
    return text.plain


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[Text]:
    if heads:
        yield Text(_row(heads), "bold")
    for row in rows:
        verdict = Text(_row(row))
        verdict.stylize(VERDICT_STYLES[Verdict(row[0])], 0, len(row[0]))
        yield verdict


def _row(cells: Sequence[str]) -> str:
    verdict, effort, *counts = cells
    return f"{verdict:<13}{effort:<8}" + "".join(f"{count:>11}" for count in counts)
