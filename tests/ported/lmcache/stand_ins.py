"""Packages of which a few modules are real, and the others have every name."""

from __future__ import annotations

import sys
from pathlib import Path
from runpy import run_path

MATRIX = Path(__file__).resolve().parents[3] / "scripts" / "contract_matrix"


def stand_in_for(packages: tuple[str, ...], root: Path) -> None:
    """What lies below ``root`` is real."""
    finder = run_path(str(MATRIX))["Modules"](root)
    finder.packages = packages
    sys.meta_path.insert(0, finder)
