"""Lazy or eager mode."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache, wraps
from typing import Any

from porter.emulator.settings import is_lazy


def lazy_only(func: Callable[..., Any]) -> Callable[..., Any]:
    """``func`` in lazy mode; in eager mode something that does nothing, and says so once."""
    if is_lazy():
        return func

    @wraps(func)
    def skip(*args: Any, **kwargs: Any) -> None:
        _say_once(func.__name__)

    return skip


@cache
def _say_once(name: str) -> None:
    logging.getLogger(__name__).warning("%s does nothing outside lazy mode", name)
