"""Look an environment over, and tell what was found."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from importlib.metadata import Distribution as Installed
from pathlib import Path
from typing import Any

from rich.text import Text

# For their checks.
from porter.doctor import packages, variables  # noqa: F401
from porter.doctor.check import CHECKS, Finding, Patient, Severity
from porter.install.distribution import Distribution
from porter.install.environment import Environment, complaints

SCHEMA_VERSION = 1
_CONTAINERS = (Path("/.dockerenv"), Path("/run/.containerenv"))
_STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow"}


def patient_of(python: Path | None) -> Patient:
    """The environment of ``python``, None for porter's own, and the variables of this process.

    Raises PorterError where there is no interpreter that answers.
    """
    environment = Environment.of(python)
    unmet = complaints(environment, environment.distributions().values())
    return Patient(
        installed=tuple(distributions(environment.search)),
        variables=dict(os.environ),
        unmet=tuple(unmet.values()),
        in_container=any(file.exists() for file in _CONTAINERS),
        python=str(environment.python),
    )


def distributions(search: Iterable[str]) -> Iterator[Distribution]:
    """All below the folders of ``search``, those that are hidden by others too."""
    seen = set()
    for installed in Installed.discover(path=list(search)):
        distribution = Distribution.of(installed)
        if distribution is not None and distribution.info not in seen:
            seen.add(distribution.info)
            yield distribution


def examine(patient: Patient) -> tuple[Finding, ...]:
    """Errors first."""
    findings = [found for check in CHECKS.values() for found in check.findings(patient)]
    return tuple(sorted(findings, key=lambda finding: finding.severity is not Severity.ERROR))


def to_document(findings: Iterable[Finding]) -> dict[str, Any]:
    """For ``--format json``; the contract is ``doctor.schema.json``."""
    return {
        "schema_version": SCHEMA_VERSION,
        "checks": list(CHECKS),
        "findings": [
            {**asdict(finding), "severity": finding.severity.value} for finding in findings
        ],
    }


def to_text(findings: Iterable[Finding]) -> Text:
    """A finding: what, why and the cure, each a line."""
    text = Text()
    number = 0
    for finding in findings:
        number += 1
        text.append(f"{finding.severity.value}: ", _STYLES[finding.severity])
        text.append(f"{finding.what}  [{finding.check}]\n")
        text.append(f"    why:  {finding.why}\n    cure: {finding.cure}\n")
    text.append(f"{len(CHECKS)} checks, {number or 'nothing'} found")
    return text
