"""The overlay's modules on the emulated device; what needs upstream's classes has its own tests."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace

import pytest

from porter.package.recipe import find_recipe

sys.path.append(str(Path(__file__).parent))  # for kv_reference

MODULES = ("steps", "kv_views", "slots", "transfer", "paged_ops")


@pytest.fixture(scope="session")
def hpu(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """``lmcache.hpu``'s modules by name, with the device and the bridge."""
    pytest.importorskip("torch", reason="the device needs torch")
    from porter import emulator  # noqa: PLC0415

    emulator.install()
    import habana_frameworks.torch  # noqa: F401, PLC0415

    folder = tmp_path_factory.mktemp("overlay")
    for row in find_recipe("lmcache").overlays:
        shutil.copytree(row.folder, folder, dirs_exist_ok=True)
    (folder / "lmcache" / "__init__.py").touch()
    forget()
    sys.path.insert(0, str(folder))
    yield SimpleNamespace(
        **{name: importlib.import_module(f"lmcache.hpu.{name}") for name in MODULES},
        layouts=importlib.import_module("lmcache.hpu.layouts"),
    )
    sys.path.remove(str(folder))
    forget()


@pytest.fixture
def silent(hpu: SimpleNamespace) -> Iterator[None]:
    """The sanitizer has nothing to say."""
    import torch  # noqa: PLC0415

    from porter import emulator  # noqa: PLC0415

    torch.hpu.synchronize()
    emulator.forget()
    yield
    torch.hpu.synchronize()
    found = [f"{report.rule}: {report.message}" for report in emulator.reports()]
    emulator.forget()
    assert found == []


@pytest.fixture
def child() -> Callable[..., str]:
    """Run Python code on the device in a process of its own, with ``folder`` first on its path.

    What it prints comes back; a sanitizer's report is an error as any other.
    """

    def run(code: str, folder: str | Path, **variables: str) -> str:
        head = (
            "import torch, porter.emulator\n"
            "porter.emulator.install()\n"
            "import habana_frameworks.torch\n"
        )
        tail = "\nassert not porter.emulator.reports(), porter.emulator.reports()\n"
        path = os.pathsep.join([str(folder), *filter(None, sys.path)])
        done = subprocess.run(
            [sys.executable, "-c", head + dedent(code) + tail],
            env={**os.environ, "PYTHONPATH": path, **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def forget() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "lmcache"]:
        del sys.modules[name]
