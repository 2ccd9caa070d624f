"""Read TOML on every supported Python."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from porter.errors import PorterError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def parse_toml(text: str) -> dict[str, Any]:
    """The document in ``text``, empty where it cannot be parsed."""
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def read_toml(path: Path) -> dict[str, Any]:
    """The document in ``path``. Raises PorterError where it cannot be read or parsed."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PorterError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PorterError(f"{path}: not valid TOML: {error}") from error
