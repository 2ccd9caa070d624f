"""Turn the emulated device on, in this process or in those that it starts."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType

from porter.emulator.build import load
from porter.emulator.finder import refuse_real_bridge, serve_bridge
from porter.emulator.journal import keep_journal
from porter.emulator.settings import Settings, current_settings, is_lazy, set_current, settings_of
from porter.emulator.support import listed_ops
from porter.emulator.watch import watch

SWITCH = "PORTER_EMULATE"
_STARTUP = Path(__file__).resolve().parent / "startup"


def install(settings: Settings | None = None) -> None:
    """From here on this process has the device ``hpu`` and the package ``habana_frameworks``.

    Without ``settings`` those of the environment count, which a parent process may have set.
    As on Gaudi, ``torch.hpu`` comes with ``import habana_frameworks.torch``, or by itself in
    eager mode. A second call changes the settings at most. Raises PorterError beside Intel's own
    package, without torch or a compiler, and where the process has used torch's accelerator before.
    """
    refuse_real_bridge()
    with _switched_off():
        device = load()
    configure(settings or settings_of(os.environ))
    _once(device)
    serve_bridge()
    if _autoloads():
        import habana_frameworks.torch  # noqa: F401, PLC0415


def configure(settings: Settings) -> None:
    """Change how the device behaves from here on; the mode is that of PT_HPU_LAZY_MODE."""
    set_current(settings)
    load().configure(
        asynchrony=settings.asynchrony,
        lazy=is_lazy(),
        sanitize=settings.sanitizer,
        places=settings.lines,
    )
    load().set_index_policy(settings.indices)


@cache
def _once(device: ModuleType) -> None:
    watch(device)
    device.set_supported(listed_ops())
    if folder := current_settings().journals:
        keep_journal(device, folder)


def emulated(environment: Mapping[str, str], settings: Settings | None = None) -> dict[str, str]:
    """``environment`` for a command whose Python processes, and theirs, have the device.

    Without ``settings`` those that it holds already count.

    A ``sitecustomize`` at the head of PYTHONPATH does it; one that was there runs too. An
    interpreter that is told to ignore its environment (``-E``, ``-I``, ``-S``) has no device.
    """
    path = environment.get("PYTHONPATH")
    folders = [folder for folder in (path or "").split(os.pathsep) if folder != str(_STARTUP)]
    return {
        **environment,
        **(settings_of(environment) if settings is None else settings).environment(),
        SWITCH: "1",
        "PYTHONPATH": os.pathsep.join([str(_STARTUP), *filter(None, folders)]),
    }


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
