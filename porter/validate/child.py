"""The interpreter that runs a part of porter in a process of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def command(module: str) -> list[str]:
    """Runs ``main`` of a module of this package."""
    return [sys.executable, "-c", f"from porter.validate.{module} import main; main()"]


def environment() -> dict[str, str]:
    """This process's, with this porter on the path."""
    own = str(Path(__file__).resolve().parents[2])
    paths = filter(None, [own, os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
