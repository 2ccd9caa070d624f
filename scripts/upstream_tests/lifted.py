"""A pytest plugin under which unmodified tests are collected as on a machine with CUDA.

It serves to count them: torch says that CUDA is there, and the compiled modules, which porter has
dropped, have any name.
"""

from __future__ import annotations

import sys
from types import ModuleType
from unittest.mock import MagicMock

import pytest

#: ``lmc_ops`` is no module of any release: 0.3.9's tests ask for it, and are skipped everywhere.
COMPILED = ("lmc_ops", "lmcache.c_ops", "lmcache.cuda_ops", "lmcache.native_storage_ops")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    import torch  # noqa: PLC0415

    torch.cuda.is_available = lambda: True
    torch.cuda.device_count = lambda: 1
    torch.ops._C.rotary_embedding = MagicMock()
    for name in COMPILED:
        sys.modules[name] = _anything(name)


def pytest_collection() -> None:
    """Before test modules are imported: some skip themselves by what upstream calls the device."""
    import lmcache  # noqa: PLC0415

    if hasattr(lmcache, "torch_device_type"):
        lmcache.torch_device_type, lmcache.torch_dev = "cuda", MagicMock()


def _anything(name: str) -> ModuleType:
    module = ModuleType(name)
    module.__getattr__ = lambda attribute: MagicMock(name=attribute)  # type: ignore[method-assign]
    return module
