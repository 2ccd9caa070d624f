"""Is what was installed what the wheel says, and can it be imported?"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from porter.errors import PorterError
from porter.install.distribution import Distribution
from porter.install.environment import Environment
from porter.install.wheel import PortedWheel

_IMPORTS = Path(__file__).with_name("imports.py")
_TIMEOUT = 600.0  # seconds; vLLM alone takes a minute on a cold disk


class CheckFailed(PorterError):
    """What was installed is not as it should be."""


@dataclass(frozen=True)
class Import:
    """``missing`` is a third party that is not installed, or a caller that does not import."""

    module: str
    missing: str | None


def check_files(wheel: PortedWheel, installed: Distribution | None) -> tuple[Distribution, int]:
    """``installed``, and how many files are as in the wheel. Raises CheckFailed if one is not."""
    if installed is None or installed.version != wheel.version:
        raise CheckFailed(f"{installed or wheel.name} is what Python finds, not {wheel}")
    damaged = next(installed.damaged(), None)
    if damaged is not None:
        raise CheckFailed(f"{damaged}: is not as RECORD has it")
    listed = {row.path: row.digest for row in installed.rows()}
    of_package = {
        name: digest for name, digest in wheel.layout.files.items() if not _is_rewritten(name)
    }
    for name, digest in of_package.items():
        if listed.get(installed.root / name) != digest:
            raise CheckFailed(f"{name}: is not as the wheel has it")
    return installed, len(of_package)


def _is_rewritten(name: str) -> bool:
    """Scripts get another first line, and RECORD more rows."""
    top, _, rest = name.partition("/")
    return top.endswith(".data") or rest == "RECORD"


def check_imports(wheel: PortedWheel, environment: Environment) -> list[Import]:
    """Import the package and its connectors in a fresh interpreter of the environment.

    Raises CheckFailed where an import fails for another reason than a third party.
    """
    request = {"own": wheel.modules, "connectors": wheel.connectors}
    try:
        done = subprocess.run(
            [str(environment.python), "-c", _IMPORTS.read_text(), json.dumps(request)],
            cwd=_IMPORTS.anchor,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        names = ", ".join(wheel.modules)
        raise CheckFailed(f"{names}: not imported within {_TIMEOUT:.0f} seconds") from None
    answers = list(_answers(done.stdout))
    for answer in answers:
        if answer["error"]:
            raise CheckFailed(f"{answer['module']} does not import: {answer['error']}")
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        raise CheckFailed(f"{', '.join(wheel.modules)}: does not import: {said[0]}")
    return [Import(answer["module"], answer["missing"]) for answer in answers]


def _answers(text: str) -> Iterator[dict[str, Any]]:
    """The lines that are ours: modules print what they like when they are imported."""
    for line in text.splitlines():
        if line.startswith('{"porter": '):
            yield json.loads(line)["porter"]
