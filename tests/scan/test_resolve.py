"""Names are resolved the way Python binds them."""

import ast

import pytest

from porter.scan import Module, Resolver


def resolved(code: str) -> str | None:
    """What ``HERE`` in the code stands for: the expression of the last ``probe(...)`` call."""
    module = Module("pkg/sub/mod.py", code)
    calls = [
        node
        for node in module.nodes
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "probe"
    ]
    return Resolver(module).dotted(calls[-1].args[0])


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("import torch\nprobe(torch.cuda.Stream)", "torch.cuda.Stream"),
        ("import torch as t\nprobe(t.cuda.Stream)", "torch.cuda.Stream"),
        ("import torch.cuda\nprobe(torch.cuda.Stream)", "torch.cuda.Stream"),
        ("import torch.cuda as tc\nprobe(tc.Stream)", "torch.cuda.Stream"),
        ("from torch import cuda\nprobe(cuda.Stream)", "torch.cuda.Stream"),
        ("from torch import cuda as c\nprobe(c.Stream)", "torch.cuda.Stream"),
        ("from torch.cuda import Stream as S\nprobe(S)", "torch.cuda.Stream"),
        ("import torch\ncuda = torch.cuda\nprobe(cuda.Stream)", "torch.cuda.Stream"),
        ("import torch\na = torch\nb = a.cuda\nprobe(b.Stream)", "torch.cuda.Stream"),
        ("def f():\n    import torch\n    probe(torch.cuda)", "torch.cuda"),
        ("def f():\n    import torch\ndef g():\n    probe(torch.cuda)", None),
        ("from fastai.vision.all import *\nprobe(torch.cuda.Stream)", "torch.cuda.Stream"),
        ("from ours import *\nprobe(cudnn.benchmark)", "torch.backends.cudnn.benchmark"),
        ("from ours import *\nprobe(cuda.Stream)", None),
        ("from numba import cuda\nprobe(cuda.jit)", "numba.cuda.jit"),
        ("from . import ops\nprobe(ops.copy)", "pkg.sub.ops.copy"),
        ("from .. import ops\nprobe(ops.copy)", "pkg.ops.copy"),
        ("from ..ops import copy\nprobe(copy)", "pkg.ops.copy"),
        ("import torch\nif (t := torch.cuda):\n    probe(t.Stream)", "torch.cuda.Stream"),
        (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch\n"
            "def f(x: probe(torch.cuda.Stream)): pass",
            "torch.cuda.Stream",
        ),
    ],
)
def test_aliases(code: str, name: str | None) -> None:
    assert resolved(code) == name


@pytest.mark.parametrize(
    "code",
    [
        "import torch\ndef f(torch):\n    probe(torch.cuda)",
        "import torch\nfor torch in ():\n    probe(torch.cuda)",
        "import torch\ntorch = fake()\nprobe(torch.cuda)",
        "import torch\nf = lambda torch: probe(torch.cuda)",
        "import torch\n[probe(torch.cuda) for torch in ()]",
        "import torch\nwith x() as torch:\n    probe(torch.cuda)",
        "import torch\ntry:\n    pass\nexcept E as torch:\n    probe(torch.cuda)",
        "import torch\ndef torch(): pass\nprobe(torch.cuda)",
        "import torch\nmatch x:\n    case torch:\n        probe(torch.cuda)",
        "import torch\ndef f():\n    global torch\n    torch = 1\nprobe(torch.cuda)",
    ],
)
def test_shadowing_hides_the_import(code: str) -> None:
    assert resolved(code) is None


@pytest.mark.parametrize(
    "code",
    [
        "import torch\nclass K:\n    torch = 1\n    def f(self):\n        probe(torch.cuda)",
        "try:\n    import torch\nexcept ImportError:\n    torch = None\nprobe(torch.cuda)",
        "torch = None\ndef f():\n    global torch\n    import torch\ndef g(): probe(torch.cuda)",
        "torch = 1\nimport torch\nprobe(torch.cuda)",
        "if a:\n    import torch\n    probe(torch.cuda)\nelse:\n    torch = 1",
        "import torch\n[probe(torch.cuda) for x in ()]",
        "import torch\nclass A:\n    t = torch\n    xs = [x for x in probe(t.cuda)]",
        "def f():\n    import torch\n    def g():\n        nonlocal torch; probe(torch.cuda)",
    ],
)
def test_what_does_not_hide_it(code: str) -> None:
    assert resolved(code) == "torch.cuda"


def test_alternatives_are_all_named() -> None:
    code = """
import torch
if x:
    import pkg.ops as ops
else:
    import pkg.fallback as ops
def f():
    probe(ops.copy)
"""
    module = Module("m.py", code)
    call = next(
        node
        for node in module.nodes
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "probe"
    )
    resolver = Resolver(module)
    assert resolver.dotted(call.args[0]) is None
    assert resolver.candidates(call.args[0]) == {"pkg.ops.copy", "pkg.fallback.copy"}


def test_an_assigned_choice_is_either_arm() -> None:
    module = Module("m.py", "import torch\npick = torch.autocast if x else fake\nprobe(pick)\n")
    call = next(node for node in module.nodes if isinstance(node, ast.Call))
    assert Resolver(module).dotted(call.args[0]) is None
    assert Resolver(module).candidates(call.args[0]) == {"torch.autocast"}
