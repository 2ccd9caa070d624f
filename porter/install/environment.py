"""The environment of an interpreter: where it keeps packages, and which."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution as Installed
from importlib.metadata import MetadataPathFinder
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from porter.errors import PorterError
from porter.install.distribution import Distribution

_PROBE = Path(__file__).with_name("probe.py")
_TIMEOUT = 60.0  # seconds


@dataclass(frozen=True)
class Environment:
    """``paths`` are the folders by their names in ``sysconfig``, ``search`` is ``sys.path``.

    ``roots`` are the folders outside of which nothing is removed; ``markers`` are the
    variables of PEP 508. ``has_bridge``: Gaudi's ``habana_frameworks`` can be imported.
    ``is_managed``: the system's package manager has reserved it (PEP 668).
    """

    python: Path
    prefix: Path
    paths: Mapping[str, str]
    search: tuple[str, ...]
    roots: tuple[Path, ...]
    markers: Mapping[str, str]
    has_bridge: bool
    is_managed: bool

    @classmethod
    def of(cls, python: Path | None) -> Environment:
        """That of an interpreter, or of the virtual environment in a folder; None: this one.

        Raises PorterError where there is no interpreter that answers.
        """
        if python is None:
            python = Path(sys.executable)
        elif python.is_dir():
            python = python / "bin" / "python"
        # Absolute, but not resolved: the link is what makes a virtual environment.
        answer = _ask(python.absolute())
        return cls(
            python=python.absolute(),
            prefix=Path(answer["prefix"]),
            paths=answer["paths"],
            search=tuple(answer["search"]),
            roots=(Path(answer["prefix"]), Path(answer["user_base"])),
            markers=answer["markers"],
            has_bridge=answer["bridge"],
            is_managed=answer["managed"],
        )

    @property
    def version(self) -> str:
        """That of Python."""
        return self.markers["python_full_version"]

    @property
    def packages(self) -> Path:
        """Where pure Python packages are installed."""
        return Path(self.paths["purelib"])

    def distributions(self) -> dict[str, Distribution]:
        """What is installed at this moment, by name; of two of a name, the one that is imported."""
        return first_of_each(distributions_in(self.search))

    def applies(self, requirement: Requirement) -> bool:
        """Whether a requirement holds here, of a package asked for without extras."""
        marker = requirement.marker
        return marker is None or marker.evaluate({**self.markers, "extra": ""})


def distributions_in(search: Iterable[str]) -> Iterator[Distribution]:
    """All below the folders of ``search`` at this moment, those that are hidden by others too."""
    MetadataPathFinder().invalidate_caches()
    seen: set[Path] = set()
    for installed in Installed.discover(path=list(search)):
        distribution = Distribution.of(installed)
        if distribution is not None and distribution.info not in seen:
            seen.add(distribution.info)
            yield distribution


def first_of_each(distributions: Iterable[Distribution]) -> dict[str, Distribution]:
    """By name. The first of a name is the one that is imported."""
    found: dict[str, Distribution] = {}
    for distribution in distributions:
        found.setdefault(distribution.name, distribution)
    return found


@dataclass(frozen=True)
class Complaint:
    """A requirement that is not met, as ``pip check`` has it; ``found`` is the version there is."""

    package: str
    requirement: Requirement
    found: str | None

    @property
    def key(self) -> tuple[str, str]:
        """The same for the same complaint about two releases of a package."""
        return self.package, str(self.requirement)

    def __str__(self) -> str:
        wanted = f"{self.requirement.name}{self.requirement.specifier}"
        if self.found is None:
            return f"{self.package} needs {wanted}, which is not installed"
        return f"{self.package} needs {wanted}, and {self.found} is installed"


def complaints(
    environment: Environment, distributions: Iterable[Distribution]
) -> dict[tuple[str, str], Complaint]:
    """What is missing or of the wrong version among ``distributions``, by ``Complaint.key``."""
    listed = {distribution.name: distribution for distribution in distributions}
    found = (
        complaint
        for distribution in listed.values()
        for complaint in _complaints(environment, distribution, listed)
    )
    return {complaint.key: complaint for complaint in found}


def _complaints(
    environment: Environment, distribution: Distribution, listed: Mapping[str, Distribution]
) -> Iterator[Complaint]:
    for requirement in filter(environment.applies, distribution.requires):
        met = listed.get(canonicalize_name(requirement.name))
        if met is None:
            yield Complaint(distribution.name, requirement, None)
        elif not _is_met(requirement, met.version):
            yield Complaint(distribution.name, requirement, met.version)


def _is_met(requirement: Requirement, version: str) -> bool:
    """A version that no tool of today can read is nobody's fault here."""
    try:
        return requirement.specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return True


def _ask(python: Path) -> dict[str, Any]:
    try:
        done = subprocess.run(
            [str(python), "-c", _PROBE.read_text()],
            cwd=_PROBE.anchor,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=True,
        )
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except OSError as error:
        raise PorterError(
            f"{python}: {error.strerror}; name a Python interpreter or a virtual environment"
        ) from error
    except (subprocess.SubprocessError, ValueError, IndexError) as error:
        said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()[-1:]
        raise PorterError(f"{python}: does not run Python: {''.join(said)}") from error
    return answer
