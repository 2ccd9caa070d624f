"""The overlay as a package, without the release that it is laid over."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest

from porter.package.recipe import find_recipe

OVERLAY = find_recipe("lmcache").overlays[0].folder


@pytest.fixture(scope="session")
def hpu() -> Iterator[Callable[[str], ModuleType]]:
    """Import a module of ``lmcache.hpu`` by its name."""

    def of_lmcache() -> list[str]:
        return [name for name in sys.modules if name.partition(".")[0] == "lmcache"]

    package = ModuleType("lmcache")
    package.__path__ = [str(OVERLAY / "lmcache")]
    with pytest.MonkeyPatch.context() as patch:
        for name in of_lmcache():
            patch.delitem(sys.modules, name)
        patch.setitem(sys.modules, "lmcache", package)
        yield lambda name: importlib.import_module(f"lmcache.hpu.{name}")
        for name in of_lmcache():
            sys.modules.pop(name)
