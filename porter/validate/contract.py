"""The contract rung: classes answer to what the installed package that calls them asks for."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from porter.progress import Progress
from porter.sources.tree import SourceTree
from porter.validate import child
from porter.validate.conformance import State
from porter.validate.contracts import host, read_contracts
from porter.validate.installed import absent, release_of, tops
from porter.validate.rung import Failure, Outcome, Status
from porter.wording import plural

_TIMEOUT = 300.0  # seconds; vLLM takes half a minute to import on a slow machine
_WRONG = (State.MISSING.value, State.DIFFERS.value)
Record = dict[str, Any]


def check(tree: SourceTree, progress: Progress | None = None) -> Outcome:
    """Climb the rung with an unpacked wheel, in the environment of this interpreter."""
    contracts = read_contracts(tree, tree.files())
    if not contracts:
        return Outcome(Status.NOT_RUN, "the package lists no class that others call")
    if find_spec("torch") is None:
        return Outcome(Status.NOT_RUN, "needs torch: pip install 'porter[emulator]'")
    for caller in map(host, contracts):
        if find_spec(caller) is None:
            return Outcome(Status.NOT_RUN, f"needs {caller}, which is not installed")
    if progress is not None:
        progress(0, None)
    answer = _reflect(tree.root, contracts)
    if why := answer.get("unavailable"):
        return Outcome(Status.NOT_RUN, str(why))
    return _outcome(contracts, answer["classes"], tops(tree.files()))


def _reflect(root: Path, contracts: list[Record]) -> Record:
    """What ``porter.validate.reflector`` says, in a process that leaves nothing behind."""
    request = json.dumps({"root": str(root.resolve()), "contracts": contracts})
    with TemporaryDirectory(prefix="porter-", ignore_cleanup_errors=True) as scratch:
        try:
            run = subprocess.run(
                child.command("reflector"),
                input=request,
                capture_output=True,
                cwd=scratch,
                env=child.environment(),
                text=True,
                timeout=_TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return {"unavailable": f"the classes do not import within {_TIMEOUT:g} s"}
    try:
        return dict(json.loads(run.stdout))
    except ValueError:
        last = run.stderr.strip().rpartition("\n")[2]
        return {"unavailable": f"the interpreter ends while it imports the classes: {last}"}


def _outcome(contracts: list[Record], answers: list[Record], own: set[str]) -> Outcome:
    failures: list[Failure] = []
    notes: list[str] = []
    for contract, answer in zip(contracts, answers, strict=True):
        if why := _untried(contract, answer, own):
            return Outcome(Status.NOT_RUN, why)
        failures += _failures(contract, answer)
        notes += _notes(contract, answer)
    if failures:
        return Outcome(Status.FAILED, _summary(contracts, answers), tuple(failures), tuple(notes))
    return Outcome(Status.PASSED, _summary(contracts, answers), notes=tuple(notes))


def _untried(contract: Record, answer: Record, own: set[str]) -> str | None:
    """Why nothing can be said of a class: what is missing is not the wheel's."""
    if error := answer.get("base_error"):
        return f"{contract['base']} does not import: {error['kind']}"
    need = absent((answer.get("error") or {}).get("missing"), own)
    return f"needs {need}, which is not installed" if need else None


def _failures(contract: Record, answer: Record) -> Iterator[Failure]:
    module, _, name = contract["class"].partition(":")
    base = contract["base"].rpartition(":")[2]
    if error := answer.get("error"):
        path = error["path"] or f"{module.replace('.', '/')}.py"
        what = f"{name} does not import: {error['kind']}"
        yield Failure(path, error["line"], what, "correct it, or mend [[contract]] of the recipe")
        return
    path, line = answer["path"], answer["line"]
    if not answer["subclass"]:
        yield Failure(path, line, f"{name} is no {base}", f"derive it from {base}")
    for member in answer["members"]:
        if member["what"] is not None:
            what = f"{name}.{member['name']}: {member['what']}"
            cure = f"define it as {_called(contract)} calls it"
            yield Failure(path, member["line"] or line, what, cure)


def _notes(contract: Record, answer: Record) -> Iterator[str]:
    left = [
        member["name"]
        for member in answer.get("members", ())
        if member["state"] == State.INHERITED.value
    ]
    if left:
        yield f"{contract['class'].rpartition(':')[2]} leaves to its base: {', '.join(left)}"


def _summary(contracts: list[Record], answers: list[Record]) -> str:
    parts = []
    for contract, answer in zip(contracts, answers, strict=True):
        states = Counter(member["state"] for member in answer.get("members", ()))
        wrong = sum(states[state] for state in _WRONG)
        name, base = (contract[key].rpartition(":")[2] for key in ("class", "base"))
        own, inherited = plural(states[State.OWN.value], "member"), states[State.INHERITED.value]
        text = f"{name} as {base} of {_called(contract)}: {own} of its own, {inherited} inherited"
        parts.append(f"{text}, {wrong} wrong" if wrong else text)
    return "; ".join(parts)


def _called(contract: Record) -> str:
    return release_of(host(contract))
