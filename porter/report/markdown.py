"""The result as Markdown that a pull request takes as a comment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from porter.findings import FileResult, Finding, Result
from porter.report.markup import code_in_html, fenced, prose, table
from porter.report.rule_pages import page_url
from porter.report.text import summary_rows, totals_text
from porter.wording import plural

#: Characters that GitHub takes in a comment; those beyond the basic plane count twice.
LIMIT = 65_536
_ROOM_FOR_THE_REST = 200
_LINES, _COLUMNS = 12, 300


def to_markdown(
    result: Result, base: Path, rule_pages: str | None = None, limit: int = LIMIT
) -> str:
    """Totals, then the findings by file, each file collapsed. Paths are from ``base``.

    Rules link to ``rule_pages``, if there are such. What a file has said is not said again,
    and what ``limit`` leaves no room for is counted at the end.
    """
    text = _head(result)
    room = limit - _ROOM_FOR_THE_REST - _size(text)
    shown = 0
    for file in result.files:
        block, count = _file(file, result.place(file, base), rule_pages, room)
        if block:
            text, shown, room = text + block, shown + count, room - _size(block)
        if count < len(file.findings):
            break
    total = sum(1 for _ in result.findings())
    if shown < total:
        text += f"\nAnd {plural(total - shown, 'more finding')}, for which a comment has no room.\n"
    return text


def _head(result: Result) -> str:
    lines = ["### porter: CUDA on HPU", "", prose(totals_text(result).plain), ""]
    heads, *rows = summary_rows(result) or [()]
    if heads:
        lines += [*table(heads, rows), ""]
    return "\n".join(lines)


def _file(file: FileResult, place: str, rule_pages: str | None, room: int) -> tuple[str, int]:
    """The section of a file with as many findings as there is room for, and their number."""
    count = plural(len(file.findings), "finding")
    if file.unaccounted:
        count += f", {plural(file.unaccounted, 'construct')} unaccounted for"
    head = f"\n<details><summary>{code_in_html(place)}: {count}</summary>\n\n"
    tail = "\n</details>\n"
    room -= _size(head + tail)
    blocks: list[str] = []
    said: set[str] = set()
    for finding in file.findings:
        message = "" if finding.message in said else finding.message
        said.add(finding.message)
        block = "".join(f"{line}\n" for line in _finding(finding, message, rule_pages))
        if (room := room - _size(block)) < 0:
            break
        blocks.append(block)
    if not blocks and (file.findings or not file.unaccounted or room < 0):
        return "", 0
    return f"{head}{''.join(blocks)}{tail}", len(blocks)


def _finding(finding: Finding, message: str, rule_pages: str | None) -> Iterator[str]:
    page = page_url(rule_pages, finding.rule)
    rule = f"[{finding.rule}]({page})" if page else finding.rule
    kind = f"{finding.verdict.value}/{finding.effort.value}"
    yield f"- **{rule}** line {finding.line}, {kind}{': ' if message else ''}{prose(message)}"
    yield ""
    yield from (f"  {line}" for line in _change(finding))
    yield ""


def _change(finding: Finding) -> Iterator[str]:
    removed = _lines(finding.before)
    if finding.after is not None:
        added = _lines(finding.after.strip("\r\n"))
        marked = [*(f"- {line}" for line in removed), *(f"+ {line}" for line in added)]
        yield from fenced("diff", marked)
    elif removed:
        yield from fenced("python", removed)


def _lines(code: str) -> list[str]:
    """The code cut where it is long."""
    lines = code.splitlines()
    if len(lines) > _LINES:
        lines[_LINES - 1 :] = [f"... {len(lines) - _LINES + 1} more lines"]
    return [line if len(line) <= _COLUMNS else f"{line[:_COLUMNS]}…" for line in lines]


def _size(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
