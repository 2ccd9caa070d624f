"""Run pip for an environment that may have none: porter's own, by that environment's Python."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from porter.errors import PorterError
from porter.install.environment import Environment

#: Settings that lead pip away from the environment.
_ELSEWHERE = frozenset({"PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER"})
_QUIET = ("--disable-pip-version-check", "--no-input", "--quiet")


class PipError(PorterError):
    """What pip said last."""


def pip(environment: Environment, command: str, *arguments: str | Path) -> None:
    """Raises PipError. The user's settings of pip hold: which index, which certificates."""
    settings = {key: value for key, value in os.environ.items() if key not in _ELSEWHERE}
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--python", str(environment.python)),
            *(command, *_QUIET, *map(str, arguments)),
        ],
        env={**settings, "PIP_ROOT_USER_ACTION": "ignore"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise PipError(_last_error(done.stderr.splitlines()) or f"pip {command} failed")


def _last_error(lines: Iterable[str]) -> str:
    """The last line that pip calls an error, or the last line."""
    said = [line.strip() for line in lines if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in said if line.startswith("ERROR: ")]
    return (errors or said or [""])[-1]
