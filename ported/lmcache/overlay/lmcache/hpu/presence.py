"""Whether this machine is one for Gaudi, and what to do where it is not."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

_BRIDGE = "habana_frameworks"


def has_bridge() -> bool:
    """Whether Intel's PyTorch bridge is installed; nothing is loaded for the answer."""
    return find_spec(_BRIDGE) is not None


def require_bridge() -> None:
    """Raises RuntimeError, one sentence with the cure, without the bridge."""
    if not has_bridge():
        raise RuntimeError(_not_here(f"{_BRIDGE} is not installed here"))


def require_device() -> None:
    """Raises RuntimeError, one sentence with the cure, where no hpu is there for this process."""
    require_bridge()
    import habana_frameworks.torch  # noqa: F401, PLC0415 - it registers torch.hpu
    import torch  # noqa: PLC0415

    if not torch.hpu.is_available():
        raise RuntimeError(_not_here("this process sees no hpu"))


def _not_here(why: str) -> str:
    ours, upstream = _releases()
    return (
        f"{ours} is the port to Intel Gaudi, and {why}; on another device, bring upstream back by "
        f"`pip install --force-reinstall --no-deps {upstream}`"
    )


def _releases() -> tuple[str, str]:
    """What is installed, and the requirement of the release that it was made from."""
    try:
        installed = version("lmcache")
    except PackageNotFoundError:  # an unpacked wheel
        return "lmcache", "lmcache"
    return f"lmcache {installed}", f"lmcache=={installed.partition('+')[0]}"
