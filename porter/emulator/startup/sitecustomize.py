"""Python runs this when it starts, in the processes of ``porter emulate``.

The device is installed when torch or the bridge is first imported, not before: most programs
that a command starts need neither.
"""

import os
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path


class _Finder(MetaPathFinder):
    """Stands in for the import of ``torch`` and ``habana_frameworks``, once."""

    def find_spec(self, fullname, path, target=None):
        if fullname not in ("torch", "habana_frameworks"):
            return None
        sys.meta_path.remove(self)
        if fullname == "habana_frameworks":
            _install()
            return find_spec(fullname)
        spec = find_spec(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _Torch(spec.loader)
        return spec


class _Torch(Loader):
    """Loads torch, and then the device: before anyone can ask for an accelerator."""

    def __init__(self, loader):
        self._loader = loader

    def __getattr__(self, name):
        return getattr(self._loader, name)

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        self._loader.exec_module(module)
        _install()


def _install():
    try:
        from porter.emulator.install import install  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise SystemExit(
            f"porter: {sys.executable} cannot import {error.name}, which the emulated device "
            "needs; install porter there too"
        ) from None
    install()


def _run_shadowed():
    """The ``sitecustomize`` that would have run without this one."""
    own = str(Path(__file__).resolve().parent)
    spec = PathFinder.find_spec("sitecustomize", [path for path in sys.path if path != own])
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(sys.modules[__name__])


if os.environ.get("PORTER_EMULATE") == "1":
    sys.meta_path.insert(0, _Finder())
_run_shadowed()
