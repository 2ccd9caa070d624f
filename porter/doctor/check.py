"""What a check is, what it finds, and in whom."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from pathlib import Path

from packaging.version import InvalidVersion, Version

from porter.install.distribution import Distribution
from porter.install.environment import Complaint, first_of_each


class Severity(Enum):
    """``ERROR``: something does not work. ``WARNING``: it has no effect, or costs something."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Finding:
    """``what`` is the case here, ``why`` that matters, and ``cure`` is a command or an edit."""

    check: str
    severity: Severity
    what: str
    why: str
    cure: str


@dataclass(frozen=True)
class Patient:
    """``installed`` has every distribution, two of a name too; ``variables`` are the shell's.

    ``unmet`` are requirements. ``in_container``: whether this is one, where the container
    runtime's own variables are seen. ``python`` is for the commands that cure.
    """

    installed: tuple[Distribution, ...]
    variables: Mapping[str, str]
    unmet: tuple[Complaint, ...] = ()
    in_container: bool = False
    python: str = "python"

    @cached_property
    def distributions(self) -> dict[str, Distribution]:
        """By name; of two of a name the one that is imported."""
        return first_of_each(self.installed)

    def version(self, name: str) -> Version | None:
        """None where it is not installed, or has a version that nobody can read."""
        found = self.distributions.get(name)
        try:
            return None if found is None else Version(found.version)
        except InvalidVersion:
            return None

    def flag(self, variable: str) -> bool:
        """Whether a variable is set to something that means yes."""
        return self.variables.get(variable, "").strip().lower() in ("1", "true", "t", "yes", "y")

    def is_file(self, variable: str) -> bool:
        return Path(self.variables[variable]).expanduser().is_file()


@dataclass(frozen=True)
class Found:
    """A finding without the name and severity of its check."""

    what: str
    why: str
    cure: str


Examine = Callable[[Patient], Iterator[Found]]


@dataclass(frozen=True)
class Check:
    name: str
    severity: Severity
    examine: Examine

    def findings(self, patient: Patient) -> Iterator[Finding]:
        for found in self.examine(patient):
            yield Finding(self.name, self.severity, found.what, found.why, found.cure)


#: In the order of their modules.
CHECKS: dict[str, Check] = {}


def check(severity: Severity) -> Callable[[Examine], Examine]:
    """Register a function as the check of its name, as ``hccl-over-tcp``."""

    def register(examine: Examine) -> Examine:
        name = examine.__name__.replace("_", "-")
        CHECKS[name] = Check(name, severity, examine)
        return examine

    return register
