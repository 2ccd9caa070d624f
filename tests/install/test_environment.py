"""What an environment has, and what ``pip check`` would say of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from porter.install.distribution import Distribution
from porter.install.environment import Environment, complaints


def test_without_an_interpreter_it_is_that_of_porter() -> None:
    environment = Environment.of(None)
    assert environment.prefix == Path(sys.prefix)
    assert environment.markers["python_version"] == "{}.{}".format(*sys.version_info)
    assert "click" in environment.distributions()


@pytest.mark.parametrize(
    ("requirement", "said"),
    [
        ("other", None),
        ("Other_", "tinykv needs Other_, which is not installed"),
        ("other>=2", "tinykv needs other>=2, and 2.0rc1 is installed"),
        ("other>=2.0rc1", None),
        ("old>=9", None),
        ('gone; python_version < "3"', None),
        ('gone; extra == "more"', None),
        ("torch==2.7.1", None),
    ],
)
def test_complaints(requirement: str, said: str | None) -> None:
    def installed(name: str, version: str, *requires: str) -> Distribution:
        return Distribution(name, version, tuple(map(Requirement, requires)), Path(name))

    found = complaints(
        Environment.of(None),
        [
            installed("tinykv", "1.2", requirement),
            installed("other", "2.0rc1"),
            installed("old", "of no known form"),
            installed("torch", "2.7.1+hpu.1.22"),
        ],
    )
    assert [str(complaint) for complaint in found.values()] == ([said] if said else [])


def test_the_complaints_are_those_of_pip(place: Any, wheels: Any) -> None:
    place.install(wheels.upstream(requires=("gone", "other<2")), wheels.upstream("other", "2.0"))
    environment = Environment.of(place.root)
    ours = complaints(environment, environment.distributions().values())
    assert len(place.check()) == len(ours) == 2
