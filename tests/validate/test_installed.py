"""Whose fault it is that a module is missing, and what is installed."""

from __future__ import annotations

import pytest

from porter.validate.installed import absent, release_of, tops

OWN = {"pkg"}


@pytest.mark.parametrize(
    ("missing", "third"),
    [
        ("no_such_party.part", "no_such_party"),
        ("pkg.gone", None),
        ("torch.gone", None),
        ("habana_frameworks.gone", None),
        ("pytest.gone", None),
        (None, None),
    ],
)
def test_only_what_is_not_installed_is_a_third_party_s(
    missing: str | None, third: str | None
) -> None:
    assert absent(missing, OWN) == third


def test_the_tops_of_a_wheel() -> None:
    assert tops(["pkg/a.py", "pkg/b/c.py", "alone.py"]) == {"pkg", "alone"}


def test_the_release_of_a_package() -> None:
    assert release_of("pytest") == f"pytest {pytest.__version__}"
    assert release_of("no_such_party") == "no_such_party"
