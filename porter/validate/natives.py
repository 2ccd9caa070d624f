"""Compiled files of a package, and what they are linked with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile

from porter.sources.tree import SourceTree
from porter.validate.cuda_only import is_object
from porter.validate.rung import Failure

_MAGIC = b"\x7fELF"
_COMPILED = re.compile(r"\.(so|so\.[\d.]+|pyd|dll|dylib)$")


class CudaObject(NamedTuple):
    """A shared object that only loads next to the torch and CUDA it was linked with."""

    module: str
    failure: Failure


def compiled_files(tree: SourceTree, files: Iterable[str]) -> list[str]:
    """Compiled files by their name, and those that are ELF files whatever their name."""
    return [path for path in files if _COMPILED.search(path) or _is_elf(tree.root / path)]


def cuda_objects(tree: SourceTree, compiled: Iterable[str]) -> Iterator[CudaObject]:
    """Those of the compiled files that are, or link, a library of torch or CUDA."""
    for path in compiled:
        folder, _, name = path.rpartition("/")
        module = ".".join([*folder.split("/"), name.partition(".")[0]]).lstrip(".")
        try:
            libraries = [name, *_needed(tree.root / path)]
        except Exception:  # a damaged file makes the parser raise almost anything
            failure = Failure(path, 1, "not a readable ELF file", "drop it")
            yield CudaObject(module, failure)
            continue
        foreign = [library for library in libraries if is_object(library)]
        if foreign:
            cure = "drop it: Gaudi's torch has another ABI"
            yield CudaObject(module, Failure(path, 1, f"links {', '.join(foreign)}", cure))


def _is_elf(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(len(_MAGIC)) == _MAGIC


def _needed(path: Path) -> list[str]:
    with path.open("rb") as stream:
        return [
            tag.needed  # type: ignore[attr-defined]  # set by the kind of tag
            for segment in ELFFile(stream).iter_segments()
            if isinstance(segment, DynamicSegment)
            for tag in segment.iter_tags("DT_NEEDED")
        ]
