from __future__ import annotations

import ast

import pytest

from porter.validate.guards import ModuleNames, inverted
from porter.validate.walk import read_module

FILES = ("pkg/__init__.py", "pkg/ops.py", "pkg/part/a.py", "pkg/fast.cpython-311-x86_64.so")
NATIVE = ("pkg.c_ops",)


def lines(source: str) -> list[int]:
    reading = read_module(ast.parse(source), source, "pkg/part/a.py")
    found = inverted(reading, "pkg/part/a.py", NATIVE, ModuleNames(FILES))
    return sorted(failure.line for failure in found)


def guarded(test: str, body: str, otherwise: str = "pass") -> str:
    setting = "import torch, habana_frameworks.torch as ht\nfrom torch import hpu"
    return f"{setting}\nif {test}:\n    {body}\nelse:\n    {otherwise}"


ON_HPU = [
    "torch.hpu.is_available()",
    "hpu.is_available()",
    "ht.hpu.is_available()",
    "torch.hpu.is_available() and fast",
    "torch.cuda.is_available() or torch.hpu.is_available()",
    "x.device.type == 'hpu'",
    "'hpu' == device",
    "device in ('cuda', 'hpu')",
    "device.startswith('hpu')",
    "x.is_hpu",
    "not (device != 'hpu')",
]
NOT_ON_HPU = [
    "not torch.hpu.is_available()",
    "device != 'hpu'",
    "device not in ('hpu', 'cpu')",
    "fast and not torch.hpu.is_available()",
]
UNDECIDED = ["torch.cuda.is_available()", "device == 'cuda'", "fast", "hpu()", "x == 'hpux'"]


@pytest.mark.parametrize("test", ON_HPU)
def test_the_branch_for_hpu(test: str) -> None:
    assert lines(guarded(test, "import pkg.c_ops as ops", "import cupy")) == [4]


@pytest.mark.parametrize("test", NOT_ON_HPU)
def test_the_other_branch_is_for_hpu(test: str) -> None:
    assert lines(guarded(test, "import pkg.c_ops as ops", "import cupy")) == [6]


@pytest.mark.parametrize("test", UNDECIDED)
def test_a_condition_on_something_else(test: str) -> None:
    assert lines(guarded(test, "import pkg.c_ops as ops", "import cupy")) == []


@pytest.mark.parametrize(
    "statement",
    [
        "import cupy",
        "from triton import jit",
        "from numba import cuda",
        "from pkg import c_ops",
        "from .. import c_ops",
        "from pkg.c_ops import copy",
        "import pkg.gone",
        "from pkg.gone import copy",
        "from .gone import copy",
        "importlib.import_module('pkg.gone')",
        "x = 1; import cupy",
    ],
)
def test_what_must_not_be_imported(statement: str) -> None:
    assert lines(guarded("torch.hpu.is_available()", statement)) == [4]


@pytest.mark.parametrize(
    "statement",
    [
        "import pkg.ops as ops",
        "from pkg import ops, part",
        "from . import a",
        "from pkg.fast import copy",
        "import habana_frameworks.torch.core as htcore",
        "import other.gone",
        "from numba import jit",
    ],
)
def test_what_may_be_imported(statement: str) -> None:
    assert lines(guarded("torch.hpu.is_available()", statement)) == []


def test_deeper_in_the_branch() -> None:
    source = "if torch.hpu.is_available():\n    if fast:\n        with x:\n            import cupy"
    assert lines(source) == [4]


def test_reported_once_where_guards_nest() -> None:
    source = "if torch.hpu.is_available():\n    if x.is_hpu:\n        import cupy"
    assert lines(source) == [3]


def test_an_elif() -> None:
    source = "if x.is_cuda:\n    import cupy\nelif x.is_hpu:\n    import triton"
    assert lines(source) == [4]


def test_a_flag_stands_for_the_guard() -> None:
    source = "HAVE = torch.hpu.is_available()\nif HAVE:\n    import pkg.c_ops"
    assert lines(source) == [3]
    assert lines(source.replace("if HAVE", "if not HAVE")) == []


def test_a_branch_for_cuda_inside() -> None:
    source = (
        "if torch.hpu.is_available() or more:\n    if torch.cuda.is_available():\n"
        "        import cupy\n    else:\n        import triton"
    )
    assert lines(source) == [5]


@pytest.mark.parametrize("caught", ["", " ImportError", " (OSError, ImportError)", " Exception"])
def test_a_caught_import_is_sound(caught: str) -> None:
    source = (
        f"if x.is_hpu:\n    try:\n        import cupy\n    except{caught}:\n        cupy = None"
    )
    assert lines(source) == []


def test_a_handler_for_something_else_saves_nothing() -> None:
    source = "if x.is_hpu:\n    try:\n        import cupy\n    except OSError:\n        cupy = None"
    assert lines(source) == [3]


def test_what_the_handler_imports_counts() -> None:
    attempt = "try:\n        import cupy\n    except ImportError:\n        import triton"
    assert lines(f"if x.is_hpu:\n    {attempt}") == [5]


def test_modules_of_a_tree() -> None:
    modules = ModuleNames([*FILES, "pkg/stub.pyi", "single.py", "pkg/space/deep.py"])
    present = ("pkg", "pkg.ops", "pkg.part", "pkg.fast", "single", "pkg.space.deep", "numpy")
    assert not any(map(modules.lacks, present))
    assert all(map(modules.lacks, ("pkg.stub", "pkg.part.b", "single.x")))


def test_a_name_of_cuda_in_the_branch_for_hpu() -> None:
    body = "info = torch.cuda.get_device_properties(0)"
    assert lines(guarded("torch.hpu.is_available()", body, body)) == [4]
    assert lines(guarded("torch.cuda.is_available()", body)) == []
    assert lines(guarded("device in ('cuda', 'hpu')", "torch.cuda.synchronize()")) == [4]
    assert lines(guarded("torch.hpu.is_available()", "torch.backends.cudnn.enabled")) == []
