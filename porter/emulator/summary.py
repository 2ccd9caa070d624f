"""What all processes of a command did, from their journals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from porter.emulator.journal import read_journals
from porter.emulator.recording import DIRECTIONS
from porter.emulator.sanitizer import Report

Summary = dict[str, Any]
_NO_CARD = "This ran on the CPU: it is no evidence of numbers, speed or support on a card."


def gather(folder: Path) -> Summary:
    """The journals, all their reports and notes, and the totals."""
    processes = read_journals(folder)
    return {
        "processes": processes,
        "reports": [report for process in processes for report in process["reports"]],
        "notes": [note for process in processes for note in process["notes"]],
        "totals": _totals(processes),
    }


def to_json(summary: Summary, path: Path) -> None:
    path.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")


def text(summary: Summary, counts: bool) -> str:
    """For a terminal: the reports, and (``counts``) how much ran."""
    lines = [f"porter: {Report.of_json(report)}" for report in summary["reports"]]
    totals = summary["totals"]
    if counts:
        copies = ", ".join(
            f"{entry['count']} {entry['direction']} ({_size(entry['bytes'])})"
            for entry in totals["copies"]
        )
        lines += [
            f"porter: {_many(totals['processes'], 'process', 'processes')} used the device: "
            f"{_many(totals['launches'], 'graph')} launched, {totals['graphs']['distinct']} "
            f"distinct; {_many(totals['syncs'], 'sync')}; copies {copies}; "
            f"{_many(totals['ops'], 'op')}",
            f"porter: {_many(totals['reports'], 'report')}, {_many(totals['notes'], 'note')}. "
            f"{_NO_CARD}",
        ]
    if killed := [process for process in summary["processes"] if not process["ended"]]:
        pids = ", ".join(str(process["pid"]) for process in killed)
        lines.append(f"porter: killed before it could say what it did: process {pids}")
    return "\n".join(lines)


def _totals(processes: list[Summary]) -> Summary:
    copies = [entry for process in processes for entry in process["copies"]]
    return {
        "processes": len(processes),
        "reports": sum(len(process["reports"]) for process in processes),
        "notes": sum(len(process["notes"]) for process in processes),
        "graphs": {
            kind: sum(process["graphs"][kind] for process in processes)
            for kind in ("distinct", "distinct_with_offsets")
        },
        "launches": sum(process["launches"] for process in processes),
        "syncs": sum(process["syncs"] for process in processes),
        "copies": [
            {
                "direction": direction,
                **{
                    of: sum(entry[of] for entry in copies if entry["direction"] == direction)
                    for of in ("count", "bytes")
                },
            }
            for direction in DIRECTIONS
        ],
        "ops": sum(sum(process["ops"].values()) for process in processes),
        "peak_bytes": max((process["peak_bytes"] for process in processes), default=0),
    }


def _many(count: int, one: str, more: str | None = None) -> str:
    return f"{count} {one if count == 1 else more or one + 's'}"


def _size(count: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"
