"""How a long step tells what it has done."""

from __future__ import annotations

from collections.abc import Callable

#: Called with the name of the archive, the bytes done, and all bytes (None: not known).
Progress = Callable[[str, int, int | None], None]
