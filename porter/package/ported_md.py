"""PORTED.md: what a ported wheel is, and everything that was done to get it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from porter import __version__
from porter.findings import FileResult, Finding
from porter.package.ported import Ported
from porter.report.markup import table

#: Characters of code in a cell; findings.json has all of it.
_SHOWN = 80


#: Rules of imports and uses of compiled modules that nothing replaces.
_UNROUTED = frozenset({"HPU500", "HPU502"})


def ported_md(ported: Ported) -> str:
    return "\n".join(_lines(ported)) + "\n"


def runnable(ported: Ported) -> str:
    """One sentence on what keeps the port from running, as far as porter knows."""
    missing = len(ported.not_implemented)
    if not missing:
        unrouted = sum(finding.rule in _UNROUTED for finding in ported.remaining.findings())
        if unrouted:
            return f"Not runnable: {unrouted} uses of compiled modules have no route."
        return "No native operation that is called lacks an implementation."
    operations = "operation is" if missing == 1 else "operations are"
    return f"Not runnable yet: {missing} native {operations} not implemented."


def _lines(ported: Ported) -> Iterator[str]:
    release = ported.release
    yield f"# {release.name} {ported.version}"
    yield ""
    yield f"{release.name} {release.version}, rewritten from CUDA to Intel Gaudi (`hpu`) by porter."
    yield "Upstream's licence and notices hold. What was decided of every construct is listed"
    yield "below; files that need it import `habana_frameworks.torch` besides."
    yield ""
    yield f"**{runnable(ported)}**"
    if ported.not_implemented:
        yield "Each raises `NotImplementedError` when it is called:"
        yield f"{', '.join(_code(name) for name in ported.not_implemented)}."
    yield ""
    yield from table(("made from", ""), _origin(ported))
    yield ""
    yield f"Only the metadata says {ported.version}: what the package itself tells about its"
    yield f"version, such as `__version__`, is upstream's {release.version}."
    dropped = [(_code(item.what), _cell(item.reason)) for item in ported.dropped_files]
    yield from _section("Dropped files", ("file", "reason"), dropped)
    dropped = [(_code(item.what), _cell(item.reason)) for item in ported.dropped_requirements]
    yield from _section("Dropped requirements", ("requirement", "reason"), dropped)
    yield from _section("Added files", ("file",), [(_code(path),) for path in ported.overlay])
    yield from _section("Added plugins", ("file",), [(_code(path),) for path in ported.plugins])
    yield from _section("Added entry points", ("group", "name", "object"), _entry_points(ported))
    heads = ("run", "function", "a store may take", "a load may take")
    yield from _section("What `porter validate` runs", heads, _runs(ported))
    yield from _findings(ported)


def _origin(ported: Ported) -> Iterator[tuple[str, str]]:
    origin = ported.release.tree.origin
    yield "upstream", _code(origin.filename if origin else ported.release.tree.label)
    yield "its SHA-256", _code(origin.sha256) if origin else "not known"
    yield "porter", __version__
    yield "API table", f"Gaudi {ported.api}"


def _entry_points(ported: Ported) -> list[tuple[str, ...]]:
    return [
        (_code(group), _code(name), _code(target))
        for group, names in ported.recipe.entry_points.items()
        for name, target in names.items()
    ]


def _runs(ported: Ported) -> list[tuple[str, ...]]:
    """The runs with their limits; what was measured depends on where it is validated."""
    return [
        (_cell(run.name), _code(run.entry), *map(_limits, run.budget.limits.values()))
        for run in ported.recipe.runs
    ]


def _limits(limits: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in limits.items()) or "any amount"


def _findings(ported: Ported) -> Iterator[str]:
    summary = ported.result.summary()
    yield ""
    yield "## Findings"
    yield ""
    yield f"{summary.constructs} CUDA constructs: {summary.rewritten} rewritten,"
    yield f"{summary.reported} reported and left alone, {summary.unaccounted} unaccounted for."
    yield "Lines are those of the files before porting; `porter/findings.json`, beside this file,"
    yield "has all."
    for file in ported.result.files:
        if file.findings:
            yield from _file(file)


def _file(file: FileResult) -> Iterator[str]:
    yield ""
    yield f"### {_code(file.path)}"
    yield ""
    heads = (
        "line",
        "rule",
        "verdict",
        "effort",
        "status",
        "before",
        "after, or what is left to do",
    )
    yield from table(heads, (_row(finding) for finding in file.findings))


def _row(finding: Finding) -> tuple[str, ...]:
    after = _cell(finding.message) if finding.after is None else _code(finding.after)
    return (
        str(finding.line),
        finding.rule,
        finding.verdict.value,
        finding.effort.value,
        finding.status.value,
        _code(finding.before),
        after,
    )


def _section(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield ""
    yield f"## {title}"
    yield ""
    if rows:
        yield from table(heads, rows)
    else:
        yield "None."


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _code(text: str) -> str:
    """Code on one line, as Markdown shows it literally."""
    text = _cell(text)
    if len(text) > _SHOWN:
        text = f"{text[: _SHOWN - 1]}…"
    if not text:
        return "(nothing)"
    return f"`` {text} ``" if "`" in text else f"`{text}`"
