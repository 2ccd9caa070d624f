"""Compiled files in the ELF format: what they ask the dynamic linker for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile

_MAGIC = b"\x7fELF"
_TORCH_OR_CUDA = re.compile(
    r"lib(torch|c10|cuda|cudart|cublas|cudnn|cufft|cufile|cupti|curand|cusolver|cusparse"
    r"|nccl|nvcomp|nvidia|nvinfer|nvJitLink|nvjpeg|nvrtc|nvshmem|nvToolsExt)"
)


class UnreadableElfError(Exception):
    """A file that is no ELF file, or is damaged; the message is one line."""


def is_elf(path: Path) -> bool:
    """Whether a file begins as an ELF file does, whatever its name. Raises OSError."""
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def needed(path: Path) -> tuple[list[str], str]:
    """The libraries that a file asks for (DT_NEEDED), and the machine (``EM_...``) it is for.

    Raises UnreadableElfError for a file that cannot be read or followed.
    """
    try:
        with path.open("rb") as stream:
            file = ELFFile(stream)
            libraries = [
                tag.needed  # type: ignore[attr-defined]  # set by the kind of tag
                for segment in file.iter_segments()
                if isinstance(segment, DynamicSegment)
                for tag in segment.iter_tags("DT_NEEDED")
            ]
            return libraries, str(file["e_machine"])
    except Exception as error:  # a damaged file makes the parser raise almost anything
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UnreadableElfError(reason) from error


def of_torch_or_cuda(libraries: Iterable[str]) -> list[str]:
    """Those of the libraries that belong to torch or CUDA."""
    return [name for name in libraries if _TORCH_OR_CUDA.match(name)]


def links_torch_or_cuda(path: Path) -> bool:
    """Whether a compiled file asks for a library of torch or CUDA.

    One that cannot be read counts, because nothing says that it does not.
    """
    try:
        return is_elf(path) and bool(of_torch_or_cuda(needed(path)[0]))
    except (UnreadableElfError, OSError):
        return True
