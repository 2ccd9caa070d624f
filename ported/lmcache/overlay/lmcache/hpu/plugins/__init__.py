"""Plugins: scripts that LMCache's launcher runs beside the engine, each in a process of its own.

``python -m lmcache.hpu.plugins`` prints their paths, for ``runtime_plugin_locations`` of
LMCache's configuration (``plugin_locations`` until 0.3.10). Nothing here needs torch.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent


def scripts() -> Iterator[Path]:
    """The plugins of this wheel: its own, then those that were ported along."""
    for folder in ("scripts", "user"):
        yield from sorted((_FOLDER / folder).glob("[!_]*.py"))
