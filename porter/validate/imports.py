"""The import rung: every module imports with the emulated device and no CUDA."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from porter.progress import Progress
from porter.sources.tree import SourceTree
from porter.validate.rung import Failure, Outcome, Status

_TIMEOUT = 60.0  # seconds a module
_JOBS = 2
_PROGRAM = "from porter.validate.importer import main; main()"


def check(tree: SourceTree, progress: Progress | None = None) -> Outcome:
    """Climb the rung with an unpacked wheel, in the environment of this interpreter."""
    files = list(tree.files())
    if not any(path.partition("/")[0].endswith(".dist-info") for path in files):
        return Outcome(
            Status.NOT_RUN, "no .dist-info folder: which folder modules start in is open"
        )
    modules = dict(_modules(files))
    if not modules:
        return Outcome(Status.NOT_RUN, "no module in it")
    if find_spec("torch") is None:
        return Outcome(Status.NOT_RUN, "needs torch: pip install 'porter[emulator]'")
    tops = {path.partition("/")[0].partition(".")[0] for path in files}
    tally = _Tally(modules, tops)
    for done, record in enumerate(import_modules(tree.root, modules), start=1):
        if reason := record.get("unavailable"):
            return Outcome(Status.NOT_RUN, reason)
        tally.add(record)
        if progress is not None:
            progress(done, len(modules))
    return tally.outcome()


def import_modules(root: Path, modules: Iterable[str]) -> Iterator[dict[str, Any]]:
    """What ``porter.validate.importer`` says about each module, in the order of their ends."""
    request = {
        "root": str(root.resolve()),
        "modules": list(modules),
        "timeout": _TIMEOUT,
        "jobs": _JOBS,
    }
    with TemporaryDirectory(prefix="porter-") as scratch:
        own = str(Path(__file__).resolve().parents[2])
        paths = [own, os.environ.get("PYTHONPATH", "")]
        program = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=scratch,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
            text=True,
        )
        with program:
            assert program.stdin is not None and program.stdout is not None
            with program.stdin:
                json.dump(request, program.stdin)
            for line in program.stdout:
                yield json.loads(line)


def _modules(files: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Dotted names and their files. ``__main__`` is a program: its import would run it."""
    for path in files:
        parts = path.removesuffix(".py").split("/")
        if not path.endswith(".py") or parts[-1] == "__main__":
            continue
        if parts[-1] == "__init__" and len(parts) > 1:
            parts.pop()
        if all(part.isidentifier() for part in parts):
            yield ".".join(parts), path


class _Tally:
    def __init__(self, modules: dict[str, str], tops: set[str]) -> None:
        self._modules = modules
        self._tops = tops
        self._imported = 0
        self._failures: list[Failure] = []
        self._needs: dict[str, list[str]] = defaultdict(list)
        self._probes: set[tuple[str, int, str]] = set()

    def add(self, record: dict[str, Any]) -> None:
        module = record["module"]
        self._probes.update((path, line, name) for path, line, name in record["probes"])
        error = record["error"]
        if error is None:
            self._imported += 1
        elif need := self._third_party(error.get("missing")):
            self._needs[need].append(module)
        else:
            path = error.get("path") or self._modules[module]
            what = f"{module} does not import: {error['kind']}"
            self._failures.append(Failure(path, error.get("line", 1), what, self._cure(error)))

    def outcome(self) -> Outcome:
        needing = sum(map(len, self._needs.values()))
        parts = [f"{self._imported} of {len(self._modules)} modules import"]
        if needing:
            parts.append(f"{needing} need what is not installed")
        if self._failures:
            parts.append(f"{len(self._failures)} fail")
        summary = ", ".join(parts)
        notes = tuple(self._notes())
        if self._failures:
            return Outcome(Status.FAILED, summary, tuple(sorted(self._failures)), notes)
        status = Status.PASSED if self._imported else Status.NOT_RUN
        return Outcome(status, summary, notes=notes)

    def _third_party(self, missing: str | None) -> str | None:
        """The package that is not installed; None where its lack is the wheel's own fault."""
        top = (missing or "").partition(".")[0]
        own = not top or top in self._tops or top in ("torch", "habana_frameworks")
        return None if own or find_spec(top) is not None else top

    def _cure(self, error: dict[str, Any]) -> str:
        missing = error.get("missing")
        if missing and missing.partition(".")[0] in self._tops:
            return f"{missing} is not in the wheel: route it to a module that is"
        return "correct it, or drop the module by the recipe"

    def _notes(self) -> Iterator[str]:
        for need, modules in sorted(self._needs.items()):
            yield f"needs {need}: {', '.join(sorted(modules))}"
        for path, line, name in sorted(self._probes):
            yield f"{path}:{line}: asks torch.cuda.{name}()"
