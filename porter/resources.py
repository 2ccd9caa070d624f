"""Where the data that travels with porter lies: ``rules/`` and ``ported/``."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def rules_folder() -> Path:
    """The folder with the rulebook's TOML files."""
    return _data_folder("rules")


def ported_folder() -> Path:
    """The folder with one recipe a ported package."""
    return _data_folder("ported")


def _data_folder(name: str) -> Path:
    installed = _PACKAGE / "_data" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name
