"""Serves the package ``habana_frameworks`` from inside this one.

It has no place on disk where an import would find it: it must never shadow Intel's own.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType

from porter.errors import PorterError

BRIDGE = "habana_frameworks"
_SHIM = Path(__file__).resolve().parent / "shim"


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != BRIDGE:
            return None
        return spec_from_file_location(
            BRIDGE, _SHIM / "__init__.py", submodule_search_locations=[str(_SHIM)]
        )


def serve_bridge() -> None:
    """Make ``import habana_frameworks`` find the shim.

    Raises PorterError where Intel's own package is importable.
    """
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        refuse_real_bridge()
        sys.meta_path.insert(0, _Finder())


def refuse_real_bridge() -> None:
    """Raise PorterError where Intel's own package is importable."""
    loaded = sys.modules.get(BRIDGE)
    spec = loaded.__spec__ if loaded is not None else PathFinder.find_spec(BRIDGE)
    if spec is not None and not getattr(loaded, "__emulated__", False):
        place = spec.origin or next(iter(spec.submodule_search_locations or ()), "unknown")
        raise PorterError(
            f"{place}: Intel's {BRIDGE} is installed here; the emulator does not start beside it"
        )
