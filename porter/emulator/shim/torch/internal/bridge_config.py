"""Flags of the bridge's backend, those that code asks for. They have no effect here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_flags = {
    "PT_COMPILE_ONLY_MODE": os.environ.get("PT_COMPILE_ONLY_MODE", "").lower() in ("1", "true")
}


def get_pt_compile_only_mode() -> bool:
    """Whether ops are compiled and not run. They run here, whatever it says."""
    return _flags["PT_COMPILE_ONLY_MODE"]


def set_pt_compile_only_mode(value: bool) -> None:
    _flags["PT_COMPILE_ONLY_MODE"] = value


@contextmanager
def env_setting(var: str, val: Any) -> Iterator[None]:
    """A flag has a value for the length of a ``with``. Raises KeyError for one that is not here."""
    current = globals()[f"get_{var.lower()}"]()
    change = globals()[f"set_{var.lower()}"]
    change(val)
    yield
    change(current)
