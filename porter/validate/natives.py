"""Compiled files of a package, and what they are linked with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from porter.sources.elf import UnreadableElfError, is_elf, needed
from porter.sources.names import module_name
from porter.sources.tree import SourceTree
from porter.validate.cuda_only import is_object
from porter.validate.rung import Failure

_COMPILED = re.compile(r"\.(so|so\.[\d.]+|pyd|dll|dylib)$")


class CudaObject(NamedTuple):
    """A shared object that only loads next to the torch and CUDA it was linked with."""

    module: str
    failure: Failure


def compiled_files(tree: SourceTree, files: Iterable[str]) -> list[str]:
    """Compiled files by their name, and those that are ELF files whatever their name."""
    return [path for path in files if _COMPILED.search(path) or is_elf(tree.root / path)]


def cuda_objects(tree: SourceTree, compiled: Iterable[str]) -> Iterator[CudaObject]:
    """Those of the compiled files that are, or link, a library of torch or CUDA."""
    for path in compiled:
        module = module_name(path)
        try:
            libraries = [path.rpartition("/")[2], *needed(tree.root / path)[0]]
        except UnreadableElfError:
            failure = Failure(path, 1, "not a readable ELF file", "drop it")
            yield CudaObject(module, failure)
            continue
        foreign = [library for library in libraries if is_object(library)]
        if foreign:
            cure = "drop it: Gaudi's torch has another ABI"
            yield CudaObject(module, Failure(path, 1, f"links {', '.join(foreign)}", cure))
