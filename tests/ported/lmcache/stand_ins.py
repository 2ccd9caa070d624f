"""Packages of which a few modules are real, and the others have every name."""

from __future__ import annotations

import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType


def stand_in_for(packages: tuple[str, ...], root: Path) -> None:
    """What lies below ``root`` is real."""
    finder = _matrix().Modules(root)
    finder.packages = packages
    sys.meta_path.insert(0, finder)


def _matrix() -> ModuleType:
    script = Path(__file__).resolve().parents[3] / "scripts" / "contract_matrix"
    loader = SourceFileLoader("contract_matrix", str(script))
    module = module_from_spec(spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module
