"""Which compiled files cannot run beside Gaudi's torch."""

from __future__ import annotations

from pathlib import Path

from porter.sources.elf import UnreadableElfError, needed, of_torch_or_cuda

_CUDA_MACHINE = "EM_CUDA"


def unfit(path: Path) -> str | None:
    """Why a compiled file cannot be used on Gaudi, or None where nothing says so.

    A file that links torch is of another ABI than Gaudi's torch even where it
    has nothing to do with CUDA. One that cannot be read counts as unfit.
    """
    try:
        libraries, machine = needed(path)
    except UnreadableElfError as error:
        return f"not a readable ELF file: {error}"
    if machine == _CUDA_MACHINE:
        return "device code for CUDA"
    linked = of_torch_or_cuda(libraries)
    return f"links {', '.join(linked)}" if linked else None
