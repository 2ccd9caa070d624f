"""How the emulator behaves, as this process and its children are told by the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from porter.errors import PorterError

ASYNCHRONY = ("all", "pinned", "off")
INDICES = ("strict", "lenient")
_ASYNC = "PORTER_EMULATE_ASYNC"
_INDICES = "PORTER_EMULATE_INDICES"
_IGNORE = "PORTER_EMULATE_IGNORE"
_LINES = "PORTER_EMULATE_LINES"
_SANITIZER = "PORTER_EMULATE_SANITIZER"
_JOURNALS = "PORTER_EMULATE_JOURNALS"


@dataclass(frozen=True)
class Settings:
    """``asynchrony``: which copies that are asked to be non_blocking are.

    all         as late as it may be, whatever the memory: the harshest, and the default
    pinned      only with pinned host memory, as a card does
    off         every copy is delivered at once

    ``indices``: strict raises for an index out of range; lenient reads zeros and drops writes.
    ``ignore``: rules that are not reported. ``lines``: remember the line of every op, so that a
    race names both sides. ``journals``: a folder in which each process leaves what it did.
    """

    asynchrony: str = "all"
    indices: str = "strict"
    ignore: frozenset[str] = frozenset()
    lines: bool = False
    sanitizer: bool = True
    journals: Path | None = None

    def environment(self) -> dict[str, str]:
        """The variables that give a child process the same settings."""
        journals = {} if self.journals is None else {_JOURNALS: str(self.journals)}
        return {
            _ASYNC: self.asynchrony,
            _INDICES: self.indices,
            _IGNORE: ",".join(sorted(self.ignore)),
            _LINES: str(int(self.lines)),
            _SANITIZER: str(int(self.sanitizer)),
            **journals,
        }


def settings_of(environment: Mapping[str, str]) -> Settings:
    """Raises PorterError for a value that a variable cannot have."""
    journals = environment.get(_JOURNALS)
    return Settings(
        asynchrony=_choice(environment, _ASYNC, ASYNCHRONY),
        indices=_choice(environment, _INDICES, INDICES),
        ignore=frozenset(filter(None, environment.get(_IGNORE, "").split(","))),
        lines=environment.get(_LINES) == "1",
        sanitizer=environment.get(_SANITIZER) != "0",
        journals=Path(journals) if journals else None,
    )


def is_lazy() -> bool:
    """Lazy is the default; ``PT_HPU_LAZY_MODE=0`` is eager mode."""
    return os.environ.get("PT_HPU_LAZY_MODE", "1") != "0"


def current_settings() -> Settings:
    return _current


def set_current(settings: Settings) -> None:
    global _current  # noqa: PLW0603
    _current = settings


_current = Settings()


def _choice(environment: Mapping[str, str], variable: str, choices: tuple[str, ...]) -> str:
    value = environment.get(variable) or choices[0]
    if value not in choices:
        raise PorterError(f"{variable}={value}: must be one of {', '.join(choices)}")
    return value
