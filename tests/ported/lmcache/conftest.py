"""The overlay's modules on the emulated device; what needs upstream's classes has its own tests."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any
from zipfile import ZipFile

import pytest
from click.testing import CliRunner
from forking import Server

from porter.cli import main
from porter.package.recipe import find_recipe

Port = Callable[[str], Path]
Module = Callable[..., ModuleType]

sys.path.append(str(Path(__file__).parent))  # for kv_reference

OVERLAY = find_recipe("lmcache").overlays[0].folder


class Overlay:
    """The modules of ``lmcache.hpu`` by name: ``hpu("bitmap")``, or ``hpu.bitmap``."""

    def __call__(self, name: str) -> ModuleType:
        return importlib.import_module(f"lmcache.hpu.{name}")

    def __getattr__(self, name: str) -> ModuleType:
        try:
            return self(name)
        except ModuleNotFoundError as error:
            raise AttributeError(name) from error


@pytest.fixture(scope="session")
def hpu() -> Iterator[Overlay]:
    """The overlay as a package, without the release that it is laid over, beside the device."""
    pytest.importorskip("torch", reason="the device needs torch")
    from porter import emulator  # noqa: PLC0415

    emulator.install()
    import habana_frameworks.torch  # noqa: F401, PLC0415

    package = ModuleType("lmcache")
    package.__path__ = [str(OVERLAY / "lmcache")]
    with pytest.MonkeyPatch.context() as patch:
        for name in of_lmcache():
            patch.delitem(sys.modules, name)
        patch.setitem(sys.modules, "lmcache", package)
        yield Overlay()
        for name in of_lmcache():
            sys.modules.pop(name)


@pytest.fixture
def overlay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The overlay as an importable package, without upstream's modules around it."""
    for row in find_recipe("lmcache").overlays:
        shutil.copytree(row.folder, tmp_path / "overlay", dirs_exist_ok=True)
    before = dict(sys.modules)
    for name in [name for name in before if name.partition(".")[0] == "lmcache"]:
        del sys.modules[name]
    monkeypatch.syspath_prepend(tmp_path / "overlay")
    yield tmp_path / "overlay"
    for name in [name for name in sys.modules if name.partition(".")[0] == "lmcache"]:
        del sys.modules[name]
    sys.modules.update(before)


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Module:
    """Put a module with these attributes among those that are loaded."""

    def make(name: str, **attributes: Any) -> ModuleType:
        made = ModuleType(name)
        vars(made).update(attributes)
        parts = name.split(".")
        for count in range(1, len(parts)):
            monkeypatch.setitem(sys.modules, ".".join(parts[:count]), ModuleType(name))
        monkeypatch.setitem(sys.modules, name, made)
        return made

    return make


@pytest.fixture
def silent(hpu: Overlay) -> Iterator[None]:
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


@pytest.fixture(scope="session")
def porting(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Port]:
    """Given options of ``porter port``: the unpacked wheel of a release, ported once."""

    def with_options(*options: str) -> Port:
        @cache
        def unpacked(release: str) -> Path:
            out, folder = (tmp_path_factory.mktemp(name) for name in ("ported", "site"))
            command = ["port", f"lmcache=={release}", "-o", str(out), "--level", "static"]
            result = CliRunner().invoke(main, [*command, *options])
            assert result.exit_code == 0, result.output
            (wheel,) = out.glob("*.whl")
            with ZipFile(wheel) as archive:
                archive.extractall(folder)
            return folder

        return unpacked

    return with_options


@pytest.fixture(scope="session")
def port(porting: Callable[..., Port]) -> Port:
    """The unpacked wheel of a ported release."""
    return porting()


# Each release in one mode; in the other one it is more of the same.
@pytest.fixture(
    params=[
        pytest.param(("0.5.6", True), id="0.5.6-lazy"),
        pytest.param(("0.3.9.post2", False), id="0.3.9.post2-eager"),
        pytest.param(("0.5.6", False), id="0.5.6-eager", marks=pytest.mark.slow),
        pytest.param(("0.3.9.post2", True), id="0.3.9.post2-lazy", marks=pytest.mark.slow),
    ]
)
def checked_in_a_mode(
    request: pytest.FixtureRequest, checked: Callable[..., None]
) -> Callable[..., None]:
    """``checked`` with a release, in lazy or in eager mode: it takes the program and the check."""
    release, lazy = request.param
    return partial(checked, release=release, PT_HPU_LAZY_MODE=str(int(lazy)))


@pytest.fixture(scope="session")
def checked(port: Port) -> Iterator[Callable[..., None]]:
    """Run ``check`` of a program beside this file with a ported release; a report is a failure.

    Each check has a process of its own, a fork of one that has imported the release already.
    """
    started: list[Server] = []

    @cache
    def server(program: str, release: str, variables: frozenset[tuple[str, str]]) -> Server:
        path = Path(__file__).with_name(program)
        started.append(Server(path, path=(port(release),), **dict(variables)))
        return started[-1]

    def run(program: str, check: str, release: str, **variables: str) -> None:
        done = server(program, release, frozenset(variables.items())).do([check, release])
        last = done.err.strip().rpartition("\n")[2]
        if done.code and last.startswith("needs "):
            pytest.skip(last)
        assert done.code == 0, done.err

    yield run
    for process in started:
        process.close()


def of_lmcache() -> list[str]:
    return [name for name in sys.modules if name.partition(".")[0] == "lmcache"]
