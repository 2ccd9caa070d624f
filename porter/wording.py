"""Phrases that several messages share."""

from __future__ import annotations

from collections.abc import Sequence

_SHOWN = 3


def plural(count: int, noun: str) -> str:
    """``1 file``, ``2 files``, ``2 launches``."""
    ending = "es" if noun.endswith(("ch", "sh", "s", "x")) else "s"
    return f"{count} {noun}" if count == 1 else f"{count} {noun}{ending}"


def first_few(names: Sequence[str]) -> str:
    """The first three names, and whether there are more: ``a, b, c, ...``."""
    return ", ".join([*names[:_SHOWN], *(["..."] if len(names) > _SHOWN else [])])
