"""A lock that opens by itself."""

from __future__ import annotations

from threading import Lock
from time import monotonic_ns

from lmcache.hpu.bitmap import natural


class TTLLock:
    """Counts who holds it, and opens ``ttl_second`` seconds after the last of them came."""

    def __init__(self, ttl_second: int = 300) -> None:
        self._ttl_ms = natural(ttl_second) * 1000
        self._guard = Lock()
        self._holders = 0
        self._expires_ms = 0

    def lock(self) -> None:
        """One more holder; the first one, if the time was over."""
        with self._guard:
            now = _now_ms()
            self._holders = 1 if now >= self._expires_ms else self._holders + 1
            self._expires_ms = now + self._ttl_ms

    def unlock(self) -> None:
        """One holder less, down to none."""
        with self._guard:
            self._holders = max(0, self._holders - 1)

    def is_locked(self) -> bool:
        with self._guard:
            return self._holders > 0 and _now_ms() < self._expires_ms

    def reset(self) -> None:
        with self._guard:
            self._holders = self._expires_ms = 0


def _now_ms() -> int:
    return monotonic_ns() // 1_000_000
