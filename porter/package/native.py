"""Which compiled files cannot run beside Gaudi's torch."""

from __future__ import annotations

import re
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile

_MAGIC = b"\x7fELF"
_CUDA_MACHINE = "EM_CUDA"
_TORCH_OR_CUDA = re.compile(
    r"lib(torch|c10|cuda|cudart|cublas|cudnn|cufft|cufile|cupti|curand|cusolver|cusparse"
    r"|nccl|nvcomp|nvidia|nvinfer|nvJitLink|nvjpeg|nvrtc|nvshmem|nvToolsExt)"
)


def is_native(path: Path) -> bool:
    """Whether a file is a compiled one, whatever its name."""
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def unfit(path: Path) -> str | None:
    """Why a compiled file cannot be used on Gaudi, or None where nothing says so.

    A file that links torch is of another ABI than Gaudi's torch even where it
    has nothing to do with CUDA. One that cannot be read counts as unfit.
    """
    try:
        libraries, machine = _needed(path)
    except (ELFError, ValueError, UnicodeDecodeError) as error:
        return f"not a readable ELF file: {error}"
    if machine == _CUDA_MACHINE:
        return "device code for CUDA"
    linked = [name for name in libraries if _TORCH_OR_CUDA.match(name)]
    return f"links {', '.join(linked)}" if linked else None


def _needed(path: Path) -> tuple[list[str], str]:
    """The libraries that an ELF file asks for (DT_NEEDED), and the machine that it is for."""
    with path.open("rb") as stream:
        file = ELFFile(stream)
        libraries = [
            tag.needed  # type: ignore[attr-defined]  # set by the kind of tag
            for segment in file.iter_segments()
            if isinstance(segment, DynamicSegment)
            for tag in segment.iter_tags("DT_NEEDED")
        ]
        return libraries, file["e_machine"]
