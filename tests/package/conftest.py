"""What the tests of a port share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from porter.package.build import port
from porter.package.ported import Ported
from porter.package.recipe import Recipe
from porter.package.release import Release
from porter.rulebook import default_rulebook


@pytest.fixture
def shared_object(make_elf: Callable[..., bytes], tmp_path: Path) -> Callable[..., Path]:
    """A file, under a name that says nothing, that asks for the given libraries."""

    def make(*needed: str, **options: int) -> Path:
        path = tmp_path / "object"
        path.write_bytes(make_elf(*needed, **options))
        return path

    return make


@pytest.fixture
def ported(tiny: Any) -> Ported:
    """The small package, ported by its recipe."""
    return port(Release.of(tiny.tree), Recipe.load(tiny.recipe), default_rulebook())
