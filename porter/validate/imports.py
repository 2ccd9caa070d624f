"""The import rung: every module imports with the emulated device and no CUDA."""

from __future__ import annotations

import json
import os
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from porter.progress import Progress
from porter.sources.tree import SourceTree
from porter.validate import child
from porter.validate.beside import Beside, beside
from porter.validate.installed import is_third, top_of, tops
from porter.validate.remaining import Remaining
from porter.validate.rung import Failure, Outcome, Status
from porter.validate.source_files import read_source
from porter.validate.third_parties import third_parties, top
from porter.wording import plural

_TIMEOUT = 180.0  # seconds a module, on a machine that has other things to do
_JOBS = os.cpu_count() or 1


def check(tree: SourceTree, progress: Progress | None = None) -> Outcome:
    """Climb the rung with an unpacked wheel, in the environment of this interpreter."""
    files = list(tree.files())
    if not any(path.partition("/")[0].endswith(".dist-info") for path in files):
        return Outcome(
            Status.NOT_RUN, "no .dist-info folder: which folder modules start in is open"
        )
    remaining = Remaining.of(tree, files)
    modules = dict(_modules(path for path in files if path not in remaining.programs))
    if not modules:
        return Outcome(Status.NOT_RUN, "no module in it")
    if find_spec("torch") is None:
        return Outcome(Status.NOT_RUN, "needs torch: pip install 'porter[emulator]'")
    own = tops(files)
    sources = (read_source(tree.read(path), path) for path in modules.values())
    preload = third_parties((text for text in sources if isinstance(text, str)), own)
    others = beside(tree, files, set(map(top, preload)), progress)
    stand_ins = {other.name: other.wheel for other in others if other.wheel is not None}
    tally = _Tally(modules, own, frozenset(remaining.native_modules), others)
    for line in import_modules(tree.root, modules, own, preload, stand_ins):
        if reason := line.get("unavailable"):
            return Outcome(Status.NOT_RUN, reason)
        if "module" in line:
            tally.add(line)
        if progress is not None:
            progress(tally.done, len(modules) if tally.done else None)
    return tally.outcome()


def import_modules(
    root: Path,
    modules: Iterable[str],
    own: Iterable[str],
    preload: Iterable[str],
    stand_ins: Mapping[str, Path],
) -> Iterator[dict[str, Any]]:
    """What ``porter.validate.importer`` says, about each module in the order of their ends.

    ``own`` are the top-level names of the package, ``preload`` statements that import third
    parties; with none of them the result is the same, later. ``stand_ins`` are wheels, by the
    packages whose names they have.
    """
    request = {
        "root": str(root.resolve()),
        "modules": list(modules),
        "own": list(own),
        "preload": list(preload),
        "stand_ins": {name: str(wheel) for name, wheel in stand_ins.items()},
        "timeout": _TIMEOUT,
        "jobs": _JOBS,
    }
    with TemporaryDirectory(prefix="porter-", ignore_cleanup_errors=True) as scratch:
        program = subprocess.Popen(
            child.command("importer"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=scratch,
            env=child.environment(),
            text=True,
        )
        with program:
            assert program.stdin is not None and program.stdout is not None
            try:
                with program.stdin:
                    json.dump(request, program.stdin)
                for line in program.stdout:
                    yield json.loads(line)
            finally:
                # Where nobody wants the rest. The pipe ends with the last fork that writes files.
                program.kill()
                program.stdout.read()


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
    def __init__(
        self,
        modules: dict[str, str],
        own: set[str],
        dropped: frozenset[str],
        others: Iterable[Beside],
    ) -> None:
        self._modules = modules
        self._own = own
        self._dropped = dropped
        self._others = {other.name: other for other in others}
        self.done = 0
        self._imported = 0
        self._failures: list[Failure] = []
        self._needs: dict[str, list[str]] = defaultdict(list)
        self._probes: set[tuple[str, int, str]] = set()

    def add(self, record: dict[str, Any]) -> None:
        self.done += 1
        module = record["module"]
        self._probes.update((path, line, name) for path, line, name in record["probes"])
        error = record["error"]
        if error is None:
            self._imported += 1
        elif need := self._third_party(error.get("missing")):
            self._needs[need].append(module)
        else:
            path = error.get("path") or self._modules[module]
            what, cure = self._why(error)
            self._failures.append(Failure(path, error.get("line", 1), f"{module} {what}", cure))

    def outcome(self) -> Outcome:
        needing = sum(map(len, self._needs.values()))
        parts = [f"{self._imported} of {len(self._modules)} modules import"]
        if needing:
            parts.append(f"{needing} need what is not installed")
        if self._failures:
            parts.append(f"{len(self._failures)} fail")
        beside = "; ".join(other.what for other in self._others.values())
        summary = ", ".join(parts) + (f"; beside {beside}" if beside else "")
        notes = tuple(self._notes())
        if self._failures:
            return Outcome(Status.FAILED, summary, tuple(sorted(self._failures)), notes)
        status = Status.PASSED if self._imported else Status.NOT_RUN
        return Outcome(status, summary, notes=notes)

    def _third_party(self, missing: str | None) -> str | None:
        """The package that is not installed; None where its lack is the wheel's own fault."""
        top = top_of(missing or "")
        if not is_third(top, self._own):
            return None
        if top in self._others and self._others[top].wheel is not None:
            return None
        spec = find_spec(top)
        if spec is None:
            return top
        # Several distributions share a namespace package; the one that has this is not there.
        return missing if spec.origin is None else None

    def _why(self, error: dict[str, Any]) -> tuple[str, str]:
        """What is wrong with a module, and the cure."""
        missing = error.get("missing") or error.get("unbound") or ""
        if missing in self._dropped:
            what = f"needs {missing}, a native module that the port dropped"
            return what, "route it to a module that is in the wheel, or drop this one by the recipe"
        if error.get("missing") and missing.partition(".")[0] in self._own:
            what = f"needs {missing}, which is not in the wheel"
            return what, "add it, or drop this one by the recipe"
        if other := self._others.get(missing.partition(".")[0]):
            what = f"needs {missing}, which {other.release} of {other.name} does not have"
            return what, "drop the module by the recipe, or name another release there"
        return f"does not import: {error['kind']}", "correct it, or drop the module by the recipe"

    def _notes(self) -> Iterator[str]:
        for need, modules in sorted(self._needs.items()):
            count = plural(len(modules), "module")
            yield f"needs {need}, which is not installed: {count}: {', '.join(sorted(modules))}"
        for other in self._others.values():
            if other.wheel is not None:
                yield f"{other.name} is not installed: its names were there, and nothing of it ran"
        for path, line, name in sorted(self._probes):
            yield f"{path}:{line}: asks torch.cuda.{name}() while it is imported"
