"""The native half of the emulator: compiled on first use, then taken from the cache.

emulator/<key>/_device.so      key: torch's version, ABI and compiler flags, Python, our sources
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

from porter.errors import PorterError
from porter.sources.cache import cache_folder

NAME = "porter.emulator._device"
SOURCES = Path(__file__).resolve().parent / "csrc"
# NDEBUG as in the wheels of torch: without it, classes of its headers have members they lack.
FLAGS = ["-O2", "-g0", "-DNDEBUG", "-fvisibility=hidden"]
LIBRARY = "_device.so"
_COMPILE = """\
import json, sys
from torch.utils.cpp_extension import load
load(**json.loads(sys.argv[1]))
"""


def load() -> ModuleType:
    """The native module (``porter.emulator`` lists its functions), in this process once for all.

    Raises PorterError without torch, without a compiler, where the sources do not compile, and
    where this process asked torch for its accelerator before the device was there.
    """
    if loaded := sys.modules.get(NAME):
        return loaded
    torch = _torch()
    library = build(torch)
    spec = importlib.util.spec_from_file_location(NAME, library)
    if spec is None or spec.loader is None:
        raise PorterError(f"{library}: is no Python extension; remove its folder and try again")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules[NAME] = module
    accelerator = torch.accelerator.current_accelerator()
    if accelerator is None or accelerator.type != "hpu":
        raise PorterError(
            "the emulated device was loaded too late: this process has asked torch for its "
            "accelerator before (torch.accelerator, pin_memory); load it right after import torch"
        )
    return module


def build(torch: Any) -> Path:
    """The library for this ``torch``, compiled where the cache has none.

    Raises PorterError as ``load`` does, and where the cache cannot be written.
    """
    home = cache_folder() / "emulator" / _key(torch)
    library = home / LIBRARY
    if not library.is_file():
        try:
            home.mkdir(parents=True, exist_ok=True)
            with _alone(home), TemporaryDirectory(prefix="tmp-", dir=home) as scratch:
                # Another process may have built it while this one waited.
                if not library.is_file():
                    _compile(Path(scratch), home / "build.log", torch.__version__).replace(library)
        except OSError as error:
            raise PorterError(
                f"{home}: cannot be used as the cache: {error.strerror}; "
                "set PORTER_CACHE to another folder"
            ) from error
    return library


def _torch() -> Any:
    try:
        import torch  # noqa: PLC0415
    except ImportError as error:
        raise PorterError(
            f"the emulated device needs torch ({error}); pip install 'porter[emulator]'"
        ) from error
    return torch


def _key(torch: Any) -> str:
    digest = hashlib.sha256()
    for path in sorted(SOURCES.iterdir()):
        digest.update(f"{path.name}\0".encode() + path.read_bytes() + b"\0")
    for fact in (torch._C._GLIBCXX_USE_CXX11_ABI, *FLAGS, platform.machine()):
        digest.update(f"{fact}\0".encode())
    return f"torch-{torch.__version__}-{sys.implementation.cache_tag}-{digest.hexdigest()[:16]}"


def _compile(scratch: Path, log: Path, version: str) -> Path:
    compiler = shlex.split(os.environ.get("CXX", "c++"))[0]
    for tool, cure in ((compiler, "install g++ or set CXX"), ("ninja", "pip install ninja")):
        if not _find(tool):
            raise PorterError(f"no {tool} to build the emulated device with; {cure}")
    print(
        f"porter: building the emulated device for torch {version} (once, a minute or two)",
        file=sys.stderr,
    )
    # In a process of its own: what cpp_extension builds it also loads, from the scratch folder.
    run = subprocess.run(
        [sys.executable, "-c", _COMPILE, _request(scratch)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PATH": _path(), "TORCH_DEVICE_BACKEND_AUTOLOAD": "0"},
        text=True,
        errors="replace",
        check=False,
    )
    log.write_text(run.stdout, encoding="utf-8")
    if run.returncode:
        raise PorterError(
            f"the emulated device does not build with torch {version}: "
            f"{_first_error(run.stdout)}; {log} has the rest"
        )
    return scratch / LIBRARY


def _request(scratch: Path) -> str:
    return json.dumps(
        {
            "name": Path(LIBRARY).stem,
            "sources": [str(path) for path in sorted(SOURCES.glob("*.cpp"))],
            "extra_cflags": FLAGS,
            "build_directory": str(scratch),
            "verbose": True,
        }
    )


def _path() -> str:
    """Where tools are looked for: beside this interpreter too, activated or not."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def _find(tool: str) -> str | None:
    return shutil.which(tool, path=_path())


def _first_error(output: str) -> str:
    lines = [line.strip() for line in output.splitlines()]
    return next((line for line in lines if "error:" in line.lower()), lines[-1] if lines else "")


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """One process at a time; the lock of one that died is free."""
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
