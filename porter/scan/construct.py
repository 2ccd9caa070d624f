"""What the scanner finds: one CUDA construct at one place."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from enum import Enum


class Kind(str, Enum):
    NAME = "name"  # an expression that resolves to a dotted name
    IMPORT = "import"  # one name of an import statement
    METHOD = "method"  # x.cuda(), on a receiver of unknown type
    ATTRIBUTE = "attribute"  # x.is_cuda
    DEFINITION = "definition"  # def cuda(self)
    DEVICE = "device"  # "cuda:0", f"cuda:{rank}"
    BACKEND = "backend"  # "nccl"
    ENVIRONMENT = "environment"  # "NCCL_DEBUG"
    COMMAND = "command"  # "nvidia-smi -L"
    DYNAMIC = "dynamic"  # getattr(torch, device), import_module(f"torch.{device}")
    LIBRARY = "library"  # "libcudart.so"
    NATIVE = "native"  # a compiled extension module, or a name of it
    KEYWORD = "keyword"  # pin_memory=True
    CONTAINER = "container"  # --gpus, in a script or a file of settings
    REQUIREMENT = "requirement"  # cupy-cuda12x, in a list of requirements
    SOURCE = "source"  # a file in CUDA's own language


@dataclass(frozen=True, eq=False)
class Construct:
    """``name`` is dotted for names, imports and native modules, else what stands in the source.

    ``certain`` is False where the expression may also refer to something else.
    """

    kind: Kind
    name: str
    node: ast.AST
    certain: bool = True

    @property
    def key(self) -> str:
        """What a rule's ``match`` is compared with."""
        if self.kind in (Kind.NAME, Kind.IMPORT):
            return self.name
        return f"{self.kind.value}:{self.name}"


@dataclass(frozen=True)
class Mention:
    """One place of a file that is no Python; offsets count characters.

    ``name`` is what a rule is asked for.
    """

    kind: Kind
    name: str
    start: int
    end: int
