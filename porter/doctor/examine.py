"""Look an environment over, and tell what was found."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from rich.text import Text

# For their checks.
from porter.doctor import packages, variables  # noqa: F401
from porter.doctor.check import CHECKS, Finding, Patient, Severity
from porter.install.environment import Environment, complaints, distributions_in

SCHEMA_VERSION = 1
_CONTAINERS = (Path("/.dockerenv"), Path("/run/.containerenv"))
_STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow"}


def patient_of(python: Path | None) -> Patient:
    """The environment of ``python``, None for porter's own, and the variables of this process.

    Raises PorterError where there is no interpreter that answers.
    """
    environment = Environment.of(python)
    patient = Patient(
        installed=tuple(distributions_in(environment.search)),
        variables=dict(os.environ),
        in_container=any(file.exists() for file in _CONTAINERS),
        python=str(environment.python),
    )
    unmet = complaints(environment, patient.distributions.values())
    return replace(patient, unmet=tuple(unmet.values()))


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
