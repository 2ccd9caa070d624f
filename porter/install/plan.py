"""Look at a wheel and an environment, and say what an installation would do and meet."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from porter.install.distribution import Distribution
from porter.install.environment import Complaint, Environment, complaints
from porter.install.in_use import processes_in
from porter.install.snapshot import is_below
from porter.install.wheel import PortedWheel

#: Comes with Gaudi's software; what an index has under this name is another build.
NEVER_FETCHED = frozenset({"torch"})
_TRUE = frozenset({"1", "true", "yes", "on"})


@dataclass(frozen=True)
class Plan:
    """What will be done, and what stands against it.

    ``replaced`` is what is there now, in the environment itself. ``fetched`` are requirements
    that an index is asked for. ``obstacles`` make the installation impossible. ``unmet`` are
    the requirements that are neither met nor fetched, and were not complained of before.
    ``notes`` are worth knowing.
    """

    wheel: PortedWheel
    environment: Environment
    replaced: Distribution | None
    fetched: tuple[Requirement, ...]
    unmet: tuple[Complaint, ...]
    obstacles: tuple[str, ...]
    notes: tuple[str, ...]


def make_plan(wheel: PortedWheel, environment: Environment, *, fetch: bool) -> Plan:
    """``fetch``: requirements of the wheel that are missing are to be got from the index."""
    installed = environment.distributions()
    there = installed.get(wheel.name)
    replaced = there if there and is_below(there.root, environment.roots) else None
    before = complaints(environment, installed.values())
    new = Distribution(wheel.name, wheel.version, wheel.requires, wheel.path)
    after = complaints(environment, {**installed, wheel.name: new}.values())
    added = [complaint for key, complaint in after.items() if key not in before]
    fetched = [item for item in added if fetch and _may_be_fetched(item, wheel)]
    return Plan(
        wheel=wheel,
        environment=environment,
        replaced=replaced,
        fetched=tuple(item.requirement for item in fetched),
        unmet=tuple(item for item in added if item not in fetched),
        obstacles=tuple(_obstacles(wheel, environment, replaced)),
        notes=tuple(_notes(environment, there, replaced)),
    )


def _may_be_fetched(complaint: Complaint, wheel: PortedWheel) -> bool:
    """What is there is never replaced: other packages need it as it is."""
    name = canonicalize_name(complaint.requirement.name)
    return complaint.package == wheel.name and not complaint.found and name not in NEVER_FETCHED


def _obstacles(
    wheel: PortedWheel, environment: Environment, replaced: Distribution | None
) -> Iterator[str]:
    if not wheel.requires_python.contains(environment.version, prereleases=True):
        yield f"{wheel} needs Python {wheel.requires_python}, not {environment.version}"
    yield from _unwritable(environment, replaced)
    if replaced is not None and not replaced.has_record:
        yield (
            f"{replaced} has no RECORD of its files, so it cannot be put back; "
            "remove it by the tool that installed it"
        )


def _unwritable(environment: Environment, replaced: Distribution | None) -> Iterator[str]:
    allowed = os.environ.get("PIP_BREAK_SYSTEM_PACKAGES", "").lower() in _TRUE
    if environment.is_managed and not allowed:
        yield (
            f"{environment.prefix}: the system's package manager has it to itself; use a virtual "
            "environment, or set PIP_BREAK_SYSTEM_PACKAGES=1"
        )
    places = {environment.packages, Path(environment.paths["scripts"])}
    if replaced is not None:
        places.add(replaced.root)
    for place in sorted(places):
        if place.exists() and not os.access(place, os.W_OK):
            yield f"{place}: not writable by this user"


def _notes(
    environment: Environment, there: Distribution | None, replaced: Distribution | None
) -> Iterator[str]:
    if not environment.has_bridge:
        yield (
            "habana_frameworks is not installed there: this is no Gaudi environment yet, and what "
            "needs the device will say so"
        )
    if there is not None and replaced is None:
        yield f"hides {there}, which stays in {there.root}"
    if replaced is not None and replaced.is_editable:
        yield f"{replaced} is editable: its sources stay where they are, unused meanwhile"
    if replaced is not None and replaced.has_record and (changed := list(replaced.damaged())):
        yield f"{replaced} is not as it was installed; it is kept as it is: {changed[0]}"
    for process in processes_in(environment.packages):
        yield f"in use by process {process.id}, which has to be started again: {process.command}"
