"""How a long step tells what it has done."""

from __future__ import annotations

from collections.abc import Callable

#: Called with what is done, and with all there is to do (None: not known).
Progress = Callable[[int, int | None], None]
