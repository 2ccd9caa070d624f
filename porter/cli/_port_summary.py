"""What `porter port` says when it is done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.text import Text

from porter.package.metadata import Dropped
from porter.package.ported import Ported
from porter.package.ported_md import runnable
from porter.report.text import summary_text as findings_summary
from porter.validate.ladder import Ladder

_SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Delivery:
    """``written`` are the files that were left, ``seconds`` how long each step took."""

    ported: Ported
    ladder: Ladder
    written: tuple[Path, ...]
    seconds: Mapping[str, float]


def summary_text(delivery: Delivery) -> Text:
    ported = delivery.ported
    title = f"{ported.release.name} {ported.release.version} -> {ported.version}"
    paragraphs = [
        Text(title, "bold"),
        findings_summary(ported.result),
        Text("\n").join(_changed(ported)),
        delivery.ladder.text(),
        Text(runnable(ported), "bold yellow" if ported.not_implemented else ""),
        Text("\n").join(Text(f"wrote {path}") for path in delivery.written),
        Text(_times(delivery.seconds)),
    ]
    return Text("\n\n").join(paragraphs)


def summary_json(delivery: Delivery) -> dict[str, Any]:
    ported = delivery.ported
    return {
        "schema_version": _SCHEMA_VERSION,
        "package": ported.release.name,
        "upstream": str(ported.release.version),
        "version": str(ported.version),
        "summary": asdict(ported.result.summary()),
        "not_implemented": list(ported.not_implemented),
        "dropped_files": [asdict(item) for item in ported.dropped_files],
        "dropped_requirements": [asdict(item) for item in ported.dropped_requirements],
        "added_files": list(ported.overlay),
        "plugins": list(ported.plugins),
        **delivery.ladder.document(),
        "written": [str(path) for path in delivery.written],
        "seconds": {step: round(seconds, 3) for step, seconds in delivery.seconds.items()},
    }


def _changed(ported: Ported) -> Iterator[Text]:
    yield from _dropped("file", ported.dropped_files)
    yield from _dropped("requirement", ported.dropped_requirements)
    yield Text(f"files from the recipe's overlay: {len(ported.overlay)}")
    yield from (Text(f"ported along: {path}") for path in ported.plugins)


def _dropped(kind: str, items: Iterable[Dropped]) -> Iterator[Text]:
    for item in items:
        yield Text.assemble(f"dropped {kind} {item.what}", (f" ({item.reason})", "dim"))


def _times(seconds: Mapping[str, float]) -> str:
    steps = ", ".join(f"{step} {value:.1f}" for step, value in seconds.items())
    return f"{sum(seconds.values()):.1f} s: {steps}"
