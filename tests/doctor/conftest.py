"""Environments as they go wrong: folders with the ``.dist-info`` of packages, and variables."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

from porter.doctor.check import Patient
from porter.install.distribution import parse_requirements
from porter.install.environment import Complaint, distributions_in


def lay_package(root: Path, name: str, version: str, *, ported: bool = False) -> Path:
    """A package of one module; the folder of its ``.dist-info``."""
    module = root / f"{name.replace('-', '_')}_of_a_test.py"
    module.write_text("X = 1\n")
    digest = urlsafe_b64encode(hashlib.sha256(module.read_bytes()).digest()).rstrip(b"=").decode()
    info = root / f"{name.replace('-', '_')}-{version}.dist-info"
    (info / "porter").mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "RECORD").write_text(f"{module.name},sha256={digest},6\n")
    if ported:
        (info / "PORTED.md").write_text("# ported\n")
        (info / "porter" / "remaining.json").write_text("{}\n")
    return info


@pytest.fixture
def patient(tmp_path: Path) -> Callable[..., Patient]:
    """``packages`` as ``name==version``, a ``!`` before those that are ported."""

    def make(
        *packages: str,
        variables: dict[str, str] | None = None,
        damaged: bool = False,
        unmet: dict[str, str] | None = None,
        in_container: bool = False,
    ) -> Patient:
        roots = []
        for number, package in enumerate(packages):
            roots.append(tmp_path / str(number))
            roots[-1].mkdir()
            name, _, version = package.removeprefix("!").partition("==")
            lay_package(roots[-1], name, version, ported=package.startswith("!"))
        if damaged:
            next(roots[0].glob("*.py")).write_text("X = 2\n")
        complaints = [
            Complaint(name, requirement, None)
            for name, text in (unmet or {}).items()
            for requirement in parse_requirements([text])
        ]
        return Patient(
            installed=tuple(distributions_in(map(str, roots))),
            variables=variables or {},
            unmet=tuple(complaints),
            in_container=in_container,
        )

    return make
