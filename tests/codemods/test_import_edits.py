"""Import statements move to the module that has the name on HPU."""

import pytest


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import torch.cuda", "import torch.hpu"),
        ("import torch.cuda as tc\ntc.synchronize()", "import torch.hpu as tc\ntc.synchronize()"),
        ("from torch.cuda import Stream, Event", "from torch.hpu import Stream, Event"),
        ("from torch.cuda import Stream as S\nS()", "from torch.hpu import Stream as S\nS()"),
        (
            "from torch import cuda, nn\ncuda.Stream()\ncuda.synchronize(0)",
            "from torch import hpu, nn\nhpu.Stream()\nhpu.synchronize()",
        ),
        (
            "from torch import cuda\nhpu = 1\ncuda.Stream()",
            "from torch import hpu as cuda\nhpu = 1\ncuda.Stream()",
        ),
        (
            "from torch.cuda import (\n    Event,  # for timing\n    Stream,\n)",
            "from torch.hpu import (\n    Event,  # for timing\n    Stream,\n)",
        ),
        (
            "def f():\n    from torch.cuda.amp import autocast\n    with autocast(): pass",
            'def f():\n    from torch.amp import autocast\n    with autocast("hpu"): pass',
        ),
        (
            "from torch.cuda import (\n    Stream,  # mine\n    memory_snapshot,\n)",
            "from torch.cuda import (\n    memory_snapshot,\n)\nfrom torch.hpu import Stream",
        ),
        (
            "import torch\ncuda = torch.cuda\ncuda.Stream()",
            "import torch\ncuda = torch.hpu\ncuda.Stream()",
        ),
    ],
)
def test_moves(rewrite, before, after):
    assert rewrite(f"{before}\n") == f"{after}\n"


def test_an_alias_with_a_use_that_stays_keeps_its_meaning(rewrite):
    code = "import torch\nfrom torch import cuda\ncuda.Stream()\ncuda.memory_snapshot()\n"
    assert rewrite(code) == (
        "import torch\nfrom torch import cuda\ntorch.hpu.Stream()\ncuda.memory_snapshot()\n"
    )


def test_without_torch_nothing_of_such_an_alias_moves(rewrite, analyse):
    code = "from torch import cuda\ncuda.Stream()\ncuda.memory_snapshot()\n"
    assert rewrite(code) == code
    assert analyse(code).unaccounted == 0


def test_native_modules_of_every_spelling_are_routed(rewrite):
    code = """import pkg.ops
import pkg.ops as a
from pkg import ops as b, other
from pkg.ops import copy
pkg.ops.copy(); a.copy(); b.copy(); copy()
"""
    assert (
        rewrite(code, routes={"pkg.ops": "pkg.hpu.ops"})
        == """import pkg.hpu.ops
import pkg.hpu.ops as a
from pkg import other
from pkg.hpu import ops as b
from pkg.hpu.ops import copy
pkg.hpu.ops.copy(); a.copy(); b.copy(); copy()
"""
    )


def test_an_alias_of_several_devices_moves_with_its_branch(rewrite, analyse):
    code = """import torch
if torch.cuda.is_available():
    dev = torch.cuda
elif torch.xpu.is_available():
    dev = torch.xpu
def f(rank):
    dev.set_device(rank % dev.device_count())
    return dev
"""
    assert rewrite(code) == code.replace("torch.cuda", "torch.hpu")
    assert analyse(code).unaccounted == 0


def test_such_an_alias_stays_where_a_use_needs_other_arguments(rewrite):
    code = """import torch
if x:
    dev = torch.cuda
else:
    dev = torch.xpu
def f(rank):
    dev.synchronize(rank)
"""
    assert rewrite(code) == code
