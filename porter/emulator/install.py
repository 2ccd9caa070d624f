"""Turn the emulated device on, in this process or in those that it starts."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from porter.emulator.build import load
from porter.emulator.finder import refuse_real_bridge, serve_bridge
from porter.errors import PorterError

SWITCH = "PORTER_EMULATE"
INDICES = "PORTER_EMULATE_INDICES"
_STARTUP = Path(__file__).resolve().parent / "startup"


def install() -> None:
    """From here on this process has the device ``hpu`` and the package ``habana_frameworks``.

    As on Gaudi, ``torch.hpu`` comes with ``import habana_frameworks.torch``, or by itself in
    eager mode. A second call does nothing. Raises PorterError beside Intel's own package,
    without torch or a compiler, where the process has used torch's accelerator before, and
    where PORTER_EMULATE_INDICES is neither "strict" nor "lenient".
    """
    refuse_real_bridge()
    with _switched_off():
        load()
    _choose_index_policy()
    serve_bridge()
    if _autoloads():
        import habana_frameworks.torch  # noqa: F401, PLC0415


def emulated(environment: Mapping[str, str]) -> dict[str, str]:
    """``environment`` for a command whose Python processes, and theirs, have the device.

    A ``sitecustomize`` at the head of PYTHONPATH does it; one that was there runs too. An
    interpreter that is told to ignore its environment (``-E``, ``-I``, ``-S``) has no device.
    """
    path = environment.get("PYTHONPATH")
    folders = [folder for folder in (path or "").split(os.pathsep) if folder != str(_STARTUP)]
    return {
        **environment,
        SWITCH: "1",
        "PYTHONPATH": os.pathsep.join([str(_STARTUP), *filter(None, folders)]),
    }


@cache
def _choose_index_policy() -> None:
    policy = os.environ.get(INDICES, "strict")
    try:
        load().set_index_policy(policy)
    except ValueError as error:
        raise PorterError(f"{INDICES}: {str(error).partition(chr(10))[0]}") from error


def _autoloads() -> bool:
    wanted = os.environ.get("PT_HPU_AUTOLOAD")
    if wanted is None:
        return os.environ.get("PT_HPU_LAZY_MODE", "1") != "1"
    return wanted == "1"


@contextmanager
def _switched_off() -> Iterator[None]:
    """The compiler's own Python must not wait for the device that it builds."""
    before = os.environ.get(SWITCH)
    os.environ[SWITCH] = "0"
    try:
        yield
    finally:
        if before is None:
            del os.environ[SWITCH]
        else:
            os.environ[SWITCH] = before
