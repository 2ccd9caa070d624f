"""hpu/native: what upstream's compiled module says, in releases of either order of bits."""

from __future__ import annotations

import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest
from packaging.version import Version

from porter.package.recipe import find_recipe
from porter.sources.resolve import open_source

pytestmark = pytest.mark.network

CHECKS = Path(__file__).with_name("native_checks.py")


@pytest.mark.parametrize(
    ("version", "module"),
    [
        ("0.5.2", "lmcache.native_storage_ops"),
        ("0.5.3", "lmcache.native_storage_ops"),
        ("0.5.6", "lmcache.lmcache_native"),
    ],
)
def test_it_does_what_the_compiled_module_does(version: str, module: str, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the compiled module links torch")
    tree = open_source(f"lmcache=={version}")
    stem = tree.root / module.replace(".", "/")
    found = [Path(f"{stem}{suffix}") for suffix in EXTENSION_SUFFIXES]
    files = [path for path in found if path.is_file()]
    assert files, f"no {module} for this interpreter"
    recipe = find_recipe("lmcache")
    routes = {route.source: route.target for route in recipe.at(Version(version)).routes}
    command = [sys.executable, CHECKS, files[0], recipe.overlays[0].folder, routes[module]]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
