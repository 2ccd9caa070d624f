"""Lazy and eager mode: where a graph is cut, and where the host waits."""

from __future__ import annotations

import torch


def launch() -> None:
    """In lazy mode, launch what was collected as one graph; in eager mode every op has been."""
    # No Gaudi software is needed to import this module.
    from habana_frameworks.torch.utils.internal import is_lazy  # noqa: PLC0415

    if is_lazy():
        import habana_frameworks.torch.core as htcore  # noqa: PLC0415

        htcore.mark_step()


def wait() -> None:
    """Let the host wait for all that the device has to do, copies to the host included.

    ``mark_step`` waits for nothing, and in eager mode it does not even launch.
    """
    torch.hpu.synchronize()
