"""The run rung: KV goes out and comes back, in lazy and in eager mode, within the budget."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from porter.progress import Progress
from porter.sources.tree import SourceTree
from porter.validate.budget import Figures, described, excesses, worst
from porter.validate.installed import absent, tops
from porter.validate.rung import Failure, Outcome, Status
from porter.validate.runs import Run, read_runs
from porter.validate.trips import Trip, trips
from porter.wording import plural


def check(tree: SourceTree, progress: Progress | None = None) -> Outcome:
    """Climb the rung with an unpacked wheel, in the environment of this interpreter."""
    files = list(tree.files())
    runs = read_runs(tree, files)
    if not runs:
        return Outcome(Status.NOT_RUN, "the package lists nothing to run")
    if find_spec("torch") is None:
        return Outcome(Status.NOT_RUN, "needs torch: pip install 'porter[emulator]'")
    with TemporaryDirectory(prefix="porter-", ignore_cleanup_errors=True) as scratch:
        ended = []
        for trip in trips(tree.root, runs, Path(scratch), progress):
            if why := trip.end.get("unavailable"):
                return Outcome(Status.NOT_RUN, why)
            ended.append(trip)
    tally = _Tally(_own(files, runs))
    for trip in sorted(ended, key=lambda trip: (runs.index(trip.run), not trip.lazy)):
        tally.add(trip)
    return tally.outcome(runs)


def _own(files: list[str], runs: list[Run]) -> set[str]:
    """Top-level names of the package, and of what is run of it."""
    places = [path.removeprefix(f"{run.folder}/") for run in runs for path in files]
    return tops([*files, *places])


class _Tally:
    def __init__(self, own: set[str]) -> None:
        self._own = own
        self._notes: dict[str, None] = {}
        self._missing: list[str] = []
        self._figures: list[Figures] = []
        # What is found by several runs, or in both modes, is told once.
        self._wrong: dict[Failure, list[Trip]] = defaultdict(list)

    def add(self, trip: Trip) -> None:
        error = trip.end.get("error")
        if error is None:
            self._judge(trip)
        elif need := absent(error["missing"], self._own):
            self._missing.append(need)
        else:
            path = error["path"] or trip.run.path
            self._wrong[Failure(path, error["line"], error["kind"], "correct it")].append(trip)

    def _judge(self, trip: Trip) -> None:
        end = trip.end
        place = end["path"], end["line"]
        if what := end["difference"]:
            self._wrong[Failure(*place, what, "find out where they are lost")].append(trip)
        took = (f"{way} {described(figures)}" for way, figures in end["ways"].items())
        self._notes[f"{trip.run.name}, {trip.mode}: {'; '.join(took)}"] = None
        for way, figures in end["ways"].items():
            self._figures.append(figures)
            for excess, cure in excesses(figures, trip.run.limits[way]):
                cures = f"{cure}, or mend [budget] of the recipe"
                self._wrong[Failure(*place, f"to {way} takes {excess}", cures)].append(trip)
        for report in end["reports"]:
            path, line = (report["file"], report["line"]) if report["file"] else place
            what, semicolon, cure = f"{report['rule']}: {report['message']}".rpartition("; ")
            failure = Failure(path, line, what or cure, cure if semicolon else "correct it")
            self._wrong[failure].append(trip)
        for note in end["notes"]:
            where = f"{note['file']}:{note['line']}: " if note["file"] else ""
            self._notes[f"{where}{note['rule']}: {note['message']}"] = None

    def outcome(self, runs: list[Run]) -> Outcome:
        failures = [
            replace(failure, what=f"{_titles(trips)}: {failure.what}")
            for failure, trips in self._wrong.items()
        ]
        if failures:
            summary = f"{_taken(runs)}: {plural(len(failures), 'failure')}"
            return Outcome(Status.FAILED, summary, tuple(sorted(failures)), tuple(self._notes))
        if self._missing:
            return Outcome(Status.NOT_RUN, f"needs {self._missing[0]}, which is not installed")
        summary = f"{_taken(runs)}; one way at most {described(worst(self._figures))}"
        return Outcome(Status.PASSED, summary, notes=tuple(self._notes))


def _titles(trips: list[Trip]) -> str:
    """``paged V2, lazy and eager``."""
    modes: dict[str, list[str]] = defaultdict(list)
    for trip in trips:
        modes[trip.run.name].append(trip.mode)
    return "; ".join(f"{name}, {' and '.join(of)}" for name, of in modes.items())


def _taken(runs: list[Run]) -> str:
    tokens = " and ".join(f"{count:,}" for count in sorted({run.prompt["tokens"] for run in runs}))
    names = ", ".join(run.name for run in runs)
    return f"KV of {tokens} tokens out and back by {names}, lazy and eager"
