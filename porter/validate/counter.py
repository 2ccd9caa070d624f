"""Count the CUDA constructs of Python source, independently of the rewriter.

Code only: comments, docstrings and strings that merely mention CUDA are none.
Every imported name, dotted name, method call and string is one construct.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Collection, Iterator
from enum import Enum
from typing import NamedTuple

from porter.validate.cuda_only import LIBRARIES, is_library
from porter.validate.reading import Chain, Literal, Place, Reading, callee, first_string
from porter.validate.walk import read_module


class Category(str, Enum):
    TORCH = "torch.cuda"
    BUILD = "torch build"
    METHOD = ".cuda()"
    IS_CUDA = "is_cuda"
    DEVICE = "device string"
    BACKEND = "nccl"
    ENVIRONMENT = "environment"
    LIBRARY = "cuda library"
    RUNTIME = "cuda runtime"
    IPC = "cuda ipc"
    NATIVE = "native module"


class Construct(NamedTuple):
    """``line`` and ``column`` are 1-based; a method or attribute stands where its own name does."""

    line: int
    column: int
    category: Category
    text: str


TORCH_NAMES = re.compile(
    r"""torch\.(?:
        (?P<TORCH> cuda
          | _C\._(?:cuda|Cuda|nccl)\w*
          | [gs]et_autocast_gpu_dtype )
      | (?P<BUILD> version\.cuda
          | backends\.(?:cuda|cudnn)
          | utils\.cpp_extension\.\w*(?:CUDA|cuda)\w* )
      | (?P<METHOD> Tensor\.cuda | nn\.Module\.cuda )
      | (?P<BACKEND> distributed\.(?:\w+\.)*(?:ProcessGroupNCCL|is_nccl_available) )
      | (?P<IPC> multiprocessing\.reductions\.rebuild_cuda_tensor )
    )(?:\.|$)""",
    re.VERBOSE | re.ASCII,
)

#: Families of functions of the driver: cuMemAlloc, cuCtxCreate.
_DRIVER = "Ctx|Device|Event|File|Func|Init|Ipc|Launch|Mem|Module|Pointer|Stream"

ATTRIBUTES = re.compile(
    rf"""(?P<IS_CUDA> is_cuda )
      | (?P<IPC> _share_cuda_ | _new_shared_cuda | _release_ipc_counter_cuda | rebuild_cuda_tensor )
      | (?P<BACKEND> ProcessGroupNCCL | is_nccl_available | NCCL )
      | (?P<RUNTIME> __cuda_array_interface__
          | cuda[A-Z]\w+ | nccl[A-Z]\w+ | nvml[A-Z]\w+ | cublas[A-Z]\w+ | cudnn[A-Z]\w+
          | cu(?:{_DRIVER})(?:[A-Z]\w*)?
        )""",
    re.VERBOSE | re.ASCII,
)

_ENVIRONMENT_NAME = r"""
    (?:CUDA|CUDNN|CUBLAS|NCCL|NVTE|TORCH_NCCL|TORCH_CUDNN|TORCH_CUDA|PYTORCH_CUDA)_[A-Z0-9_]+
  | NVIDIA_(?:VISIBLE_DEVICES|DRIVER_CAPABILITIES|TF32_OVERRIDE)
  | PYTORCH_NVML_BASED_CUDA_CHECK | PYTORCH_NO_CUDA_MEMORY_CACHING"""

STRINGS = re.compile(
    rf"""(?P<BACKEND> [nN]ccl | NCCL
          | (?:\w+:\w+,)*\w+:nccl(?:,\w+:\w+)*
          | (?:\w+:\w+,)+cuda:\w+(?:,\w+:\w+)* )
      | (?P<DEVICE> cuda(?::\S*)? | gpu:?\d+ )
      | (?P<ENVIRONMENT> {_ENVIRONMENT_NAME} )
      | (?P<RUNTIME> (?:[^\s:]*/)?
            lib(?:cuda|cudart|cudnn|cublas\w*|cufft|cufile|curand|cusolver|cusparse|nccl
                 |nvidia-ml|nvrtc|nvToolsExt)(?:\.so[\w.]*|\.dylib)
          | (?:cudart|nvcuda|cublas|cudnn)\w*\.dll
          | __cuda_array_interface__ )
      | (?P<IPC> _share_cuda_ | _new_shared_cuda | _release_ipc_counter_cuda )
      | (?P<TORCH> torch\.cuda(?:\.\w+)* )
      | (?P<BUILD> torch\.(?:version\.cuda|backends\.cud(?:a|nn)(?:\.\w+)*) )""",
    re.VERBOSE | re.ASCII,
)
_ENVIRONMENT = re.compile(_ENVIRONMENT_NAME, re.VERBOSE | re.ASCII)
_LOADERS = frozenset({"find_library", "CDLL", "LoadLibrary", "PyDLL", "WinDLL"})
_LOADED = frozenset({"cuda", "cudart", "cudnn", "cublas", "cufile", "nccl", "nvrtc", "nvidia-ml"})

#: Every construct has one of these in its text.
_SIGNS = (
    *("cuda", "CUDA", "Cuda", "nccl", "Nccl", "NCCL", "cudnn", "CUDNN", "cublas", "CUBLAS", "gpu"),
    *("nvml", "nvrtc", "nvToolsExt", "nvidia-ml", "NVIDIA_", "NVTE_"),
    *("cufft", "cufile", "curand", "cusolver", "cusparse"),
    *(f"cu{family}" for family in _DRIVER.split("|")),
    *sorted({library.rpartition(".")[2] for library in LIBRARIES}),
)


def count(text: str, path: str = "", native_modules: Collection[str] = ()) -> list[Construct]:
    """The constructs of a module in order of place.

    ``path`` is relative to the folder that holds the package, ``native_modules``
    are dotted names of compiled extensions. Raises SyntaxError, and ValueError
    for a null character.
    """
    if not may_have_cuda(text, native_modules):
        return []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return constructs(read_module(ast.parse(text), text, path), native_modules)


def may_have_cuda(text: str, native_modules: Collection[str] = ()) -> bool:
    """A cheap look at the text: False only where no construct can be."""
    names = [module.rpartition(".")[2] for module in native_modules]
    return any(word in text for word in (*_SIGNS, *names))


def constructs(reading: Reading, native_modules: Collection[str] = ()) -> list[Construct]:
    """The constructs of a module that was read, in order of place; one at each place."""
    found: dict[Place, Construct] = {}
    for place, category, text in _found(reading, tuple(native_modules)):
        found.setdefault(place, Construct(*place, category, text))
    return sorted(found.values())


def _found(
    reading: Reading, native_modules: tuple[str, ...]
) -> Iterator[tuple[Place, Category, str]]:
    for imported in reading.imports:
        if category := _import_category(imported.dotted, native_modules):
            yield reading.place(imported.node), category, imported.dotted
    yield from _in_chains(reading, native_modules)
    for call in reading.calls:
        library = first_string(call) if callee(call) in _LOADERS else None
        if library is not None and library.value in _LOADED:
            yield reading.place(library), Category.RUNTIME, library.value
    for literal in reading.literals:
        if category := _string_category(literal):
            yield reading.place(literal.node), category, literal.text
    for keyword in reading.keywords:
        if keyword.arg and _ENVIRONMENT.fullmatch(keyword.arg):
            yield reading.place(keyword), Category.ENVIRONMENT, keyword.arg


def _in_chains(
    reading: Reading, native_modules: tuple[str, ...]
) -> Iterator[tuple[Place, Category, str]]:
    called = {call.func for call in reading.calls}
    starts: set[Place] = set()
    others: list[Chain] = []
    for chain in reading.chains:
        if named := _named_chain(chain, native_modules):
            starts.add(reading.place(chain.node))
            yield reading.place(chain.node), *named
        elif chain.attributes:
            others.append(chain)
    for chain in others:
        # torch.cuda.cudart().cudaMemcpy is one construct, which stands where the first name does.
        goes_on = reading.place(chain.node) in starts
        for node in chain.attributes:
            is_call = node is chain.node and node in called
            category = _attribute_category(node.attr, is_call, goes_on or _is_own(chain))
            if category is not None:
                text = ".cuda()" if category is Category.METHOD else node.attr
                yield reading.last_name(node), category, text
                break


def _named_chain(chain: Chain, native_modules: tuple[str, ...]) -> tuple[Category, str] | None:
    for dotted in sorted(chain.dotted):
        if category := _name_category(dotted, native_modules):
            return category, dotted
    is_numba = chain.root == "numba" and chain.attributes[:1] and chain.attributes[0].attr == "cuda"
    return (Category.LIBRARY, "numba.cuda") if is_numba else None


def _import_category(dotted: str, native_modules: tuple[str, ...]) -> Category | None:
    return Category.LIBRARY if is_library(dotted) else _name_category(dotted, native_modules)


def _name_category(dotted: str, native_modules: tuple[str, ...]) -> Category | None:
    if any(f"{dotted}.".startswith(f"{module}.") for module in native_modules):
        return Category.NATIVE
    return _named(TORCH_NAMES.match(dotted))


def _attribute_category(name: str, is_call: bool, may_be_any: bool) -> Category | None:
    if is_call and name == "cuda":
        return Category.METHOD
    category = _named(ATTRIBUTES.fullmatch(name))
    return None if may_be_any and category is Category.RUNTIME else category


def _is_own(chain: Chain) -> bool:
    """Whether the chain is an attribute that the class gave itself, whatever its name."""
    return chain.root in ("self", "cls") and len(chain.attributes) == 1


def _string_category(literal: Literal) -> Category | None:
    category = _named(STRINGS.fullmatch(literal.text))
    if isinstance(literal.node, ast.JoinedStr) and literal.open:
        is_prefix = literal.text.startswith("cuda:") or category is Category.RUNTIME
        return category if is_prefix else None
    return category


def _named(match: re.Match[str] | None) -> Category | None:
    return Category[match.lastgroup] if match is not None and match.lastgroup else None
