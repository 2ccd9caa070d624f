"""A small package with everything that porting has to deal with, made on the spot."""

from __future__ import annotations

import errno
import os
import shutil
import struct
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from zipfile import ZipFile

import pytest

from porter.sources.tree import Kind, Origin, SourceTree

# After pip in the same process it could not be imported any more, and torch asks for it.
with suppress(ImportError):
    import setuptools  # noqa: F401

NATIVE = "tinykv/kernels.cpython-311-x86_64-linux-gnu.so"
METADATA = """\
Metadata-Version: 2.4
Name: tinykv
Version: 1.2
Summary: Moves pages
License-File: LICENSE
Requires-Dist: torch
Requires-Dist: Cupy_CUDA12x>=13; python_version < "3.13"
Requires-Dist: numpy>=1

# tinykv

Version: this line is prose.
"""
CONNECTOR = """\
import torch

import tinykv.kernels as ops


def load(pages, slots):
    # pages stay on "cuda" until copied
    slots = slots.cuda()
    ops.copy_pages(pages, slots, ops.Kind.LARGE)
    torch.cuda.synchronize()
    return slots
"""
RECIPE = """\
[package]
name = "tinykv"
supported = ">=1,<2"
tier = 3

[[route]]
from = "tinykv.kernels"
to = "tinykv.hpu.kernels"
implemented = ["Kind"]

[[codemod]]
name = "cuda_only"
options.paths = ["tinykv/cuda_backend.py"]

[[overlay]]
folder = "overlay"

[drop]
files = ["tinykv/*.pyi"]
requirements = { "cupy*" = "arrays on CUDA" }

[entry_points."tinykv.plugins"]
hpu = "tinykv.hpu.kernels:register"

[environment]
">=1" = "0.11.0"
"""
PACKAGE = {
    "tinykv/__init__.py": '__version__ = "1.2"\n',
    "tinykv/connector.py": CONNECTOR,
    "tinykv/cuda_backend.py": "import torch\n\nstream = torch.cuda.Stream()\n",
    "tinykv/plain.py": "ANSWER = 42\n",
    "tinykv/kernels.pyi": "def copy_pages() -> None: ...\n",
    "tinykv/data/run.sh": "#!/bin/sh\n",
}
OVERLAY = {
    "tinykv/hpu/__init__.py": "",
    "tinykv/hpu/kernels.py": (
        "class Kind:\n    LARGE = 1\n\n\ndef copy_pages(*args):\n    raise NotImplementedError\n"
    ),
}


_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_NO_BROWSER = "no Chromium: apt-get install chromium, or name one in PORTER_CHROMIUM"


def chromium_here() -> str | None:
    named = os.environ.get("PORTER_CHROMIUM")
    return named or next(filter(None, map(shutil.which, _BROWSERS)), None)


def leaves_browser_out(config: pytest.Config) -> bool:
    """Whether there is no Chromium, and its tests were not asked for by name."""
    return chromium_here() is None and "browser" not in config.getoption("markexpr")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without Chromium its tests are left out, and the run says so; asked for, they fail."""
    if leaves_browser_out(config):
        left_out = [item for item in items if item.get_closest_marker("browser")]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if leaves_browser_out(config):
        terminalreporter.write_line(
            f"tests of the review page in a browser left out: {_NO_BROWSER}"
        )


@pytest.fixture(scope="session")
def chromium() -> str:
    """The program of Chromium."""
    program = chromium_here()
    if program is None:
        pytest.fail(_NO_BROWSER, pytrace=False)
    return program


_WHOLE_DEVICE = 500_000  # bytes; what a test compiles of its own is smaller


@pytest.fixture(scope="session", autouse=True)
def _one_device(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The emulated device takes minutes to build: once for all tests, into the usual cache."""
    yield
    anew = [
        folder
        for folder, _, names in os.walk(tmp_path_factory.getbasetemp())
        if "_device.so" in names and Path(folder, "_device.so").stat().st_size > _WHOLE_DEVICE
    ]
    assert anew == [], "built by a test that has a cache of its own: let it stop at --level static"


@dataclass(frozen=True)
class Tiny:
    """``wheel`` and ``sdist`` are archives of release 1.2, ``tree`` is the unpacked wheel."""

    wheel: Path
    sdist: Path
    recipe: Path
    tree: SourceTree


@pytest.fixture
def tiny(tmp_path: Path) -> Tiny:
    folder = tmp_path / "tinykv-upstream"
    upstream = {
        **{path: text.encode() for path, text in PACKAGE.items()},
        NATIVE: elf("libtorch_cpu.so", "libc.so.6"),
    }
    info = {
        "METADATA": METADATA,
        "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: cp311-cp311-linux_x86_64\n",
        "RECORD": "",
        "entry_points.txt": "[console_scripts]\ntinykv = tinykv.connector:load\n",
        "licenses/LICENSE": "Do as you like.\n",
    }
    wheel = folder / "tinykv-1.2-cp311-cp311-linux_x86_64.whl"
    members = {
        **upstream,
        **{f"tinykv-1.2.dist-info/{name}": text.encode() for name, text in info.items()},
    }
    root = write(folder / "wheel", members)
    (root / "tinykv/data/run.sh").chmod(0o755)
    with ZipFile(wheel, "w") as archive:
        for path in members:
            archive.write(root / path, path)
    recipe = folder / "recipe" / "recipe.toml"
    write(recipe.parent, {"recipe.toml": RECIPE.encode()})
    write(recipe.parent / "overlay", {path: text.encode() for path, text in OVERLAY.items()})
    return Tiny(
        wheel=wheel,
        sdist=_sdist(folder, {path: data for path, data in upstream.items() if path != NATIVE}),
        recipe=recipe,
        tree=SourceTree(root, Kind.WHEEL, "tinykv==1.2", Origin(wheel.name, "5" * 64)),
    )


@pytest.fixture
def make_elf() -> Callable[..., bytes]:
    return elf


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


def _sdist(folder: Path, package: dict[str, bytes]) -> Path:
    project = '[project]\nname = "tinykv"\n[project.scripts]\ntinykv = "tinykv.connector:load"\n'
    files = {
        **package,
        "PKG-INFO": METADATA.encode(),
        "pyproject.toml": project.encode(),
        "LICENSE": b"Do as you like.\n",
        "NOTICE": b"Made for a test.\n",
        "tests/test_load.py": b"import torch\n\ntorch.cuda.synchronize()\n",
    }
    root = write(folder / "sdist" / "tinykv-1.2", files)
    archive = folder / "tinykv-1.2.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(root, root.name)
    return archive


def elf(*needed: str, machine: int = 62) -> bytes:
    """A shared object without code that asks for these libraries (DT_NEEDED)."""
    names = b"\0" + b"".join(name.encode() + b"\0" for name in needed)
    offsets = [names.index(name.encode() + b"\0") for name in needed]
    strings, dynamic = 64 + 2 * 56, 64 + 2 * 56 + len(names)
    entries = [*((1, offset) for offset in offsets), (5, strings), (10, len(names)), (0, 0)]
    table = b"".join(struct.pack("<qQ", tag, value) for tag, value in entries)
    size = dynamic + len(table)
    head = struct.pack(
        "<16sHHIQQQIHHHHHH",
        b"\x7fELF\x02\x01\x01", 3, machine, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0,
    )  # fmt: skip
    load = struct.pack("<IIQQQQQQ", 1, 4, 0, 0, 0, size, size, 4096)
    link = struct.pack("<IIQQQQQQ", 2, 4, dynamic, dynamic, dynamic, len(table), len(table), 8)
    return head + load + link + names + table


@pytest.fixture
def disk_that_fails(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From the call on, one file can be replaced, and none after it."""

    def start() -> None:
        real, calls = Path.replace, []

        def once(self: Path, target: Path) -> Path:
            calls.append(target)
            if len(calls) > 1:
                raise OSError(errno.EIO, "Input/output error")
            return real(self, target)

        monkeypatch.setattr(Path, "replace", once)

    return start


@pytest.fixture(scope="session")
def load_script() -> Callable[[str], ModuleType]:
    """A program of ``scripts/`` as a module."""
    folder = Path(__file__).resolve().parent.parent / "scripts"

    def load(name: str) -> ModuleType:
        loader = SourceFileLoader(name, str(folder / name))
        module = module_from_spec(spec_from_loader(name, loader))
        sys.modules[name] = module  # dataclasses look there for the annotations of their fields
        loader.exec_module(module)
        return module

    return load
