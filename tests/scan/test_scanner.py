"""What is a construct, and what only looks like one."""

import pytest

from porter.rulebook import default_rulebook
from porter.scan import Module, scan
from porter.scan.prefilter import Prefilter


def keys(code: str, native: tuple[str, ...] = ()) -> list[str]:
    found = scan(Module("pkg/m.py", code), default_rulebook(), native)
    return [construct.key for construct in found]


CONSTRUCTS = [
    ("import torch\ntorch.cuda.Stream()", "torch.cuda.Stream"),
    ("from torch.cuda import Event", "torch.cuda.Event"),
    ("import cupy", "cupy"),
    ("import torch\ns: 'torch.cuda.Stream' = None", "torch.cuda.Stream"),
    ("def f(s: 'torch.cuda.Stream | None'): pass", "torch.cuda.Stream"),
    ("import numba\nnumba.cuda.grid(1)", "numba.cuda.grid"),
    ("x.cuda()", "method:cuda"),
    ("x.is_cuda", "attribute:is_cuda"),
    ("p.is_cuda()", "method:is_cuda"),
    ("f(x.cuda_stream)", "attribute:cuda_stream"),
    ("class M:\n    def cuda(self): pass", "definition:cuda"),
    ("f('cuda')", "device:cuda"),
    ("f('cuda:1')", "device:cuda"),
    ("f(f'cuda:{i}')", "device:cuda"),
    ("match d:\n    case 'cuda': pass", "device:cuda"),
    ("f('nccl')", "backend:nccl"),
    ("f('cpu:gloo,cuda:nccl')", "backend:nccl"),
    ("f('NCCL_DEBUG')", "environment:NCCL_DEBUG"),
    ("ctypes.CDLL('libcudart.so.12')", "library:cudart"),
    ("names.append(f'libcudart.so.{major}')", "library:cudart"),
    ("find_library('cudart')", "library:cudart"),
    ("lib.cudaMemcpy(a, b)", "library:cudart"),
    ("f(pin_memory=True)", "keyword:pin_memory"),
    ("x.pin_memory()", "method:pin_memory"),
]


@pytest.mark.parametrize(("code", "key"), CONSTRUCTS)
def test_constructs(code: str, key: str) -> None:
    assert key in keys(code)


@pytest.mark.parametrize(
    "code",
    [
        '"""cuda"""',
        'def f():\n    "cuda"',
        "cuda = 1\nprint(cuda)",
        "args.cuda = True\nif args.cuda: pass",
        "log('moved to cuda')",
        "url = 'https://docs.nvidia.com/cuda/cuda-c-programming-guide'",
        "def f(cuda): return cuda.Stream()",
        "self.cuda_stream = None",
        "from numba import cuda\ncuda.jit(f)",
        "x.pin_memory('hpu')",
        "f(pin_memory=False)",
        "config = {'use_cufile': 'cufile'}",
        "import torch\ntorch.cudart_path",
        "# torch.cuda.synchronize()\n",
    ],
)
def test_lookalikes(code: str) -> None:
    found = [key for key in keys(code) if not key.startswith("numba.cuda")]
    assert found == []


def test_native_modules_and_their_uses() -> None:
    code = """
try:
    import pkg.ops as ops
except ImportError:
    import pkg.fallback as ops
from . import ops as relative
def f():
    ops.copy()
    relative.copy()
importlib.import_module("pkg.ops")
"""
    assert keys(code, ("pkg.ops",)) == [
        "native:pkg.ops",
        "native:pkg.ops",
        "native:pkg.ops.copy",
        "native:pkg.ops.copy",
        "native:pkg.ops",
    ]


def test_one_construct_for_a_call_chain() -> None:
    code = "import torch\ntorch.cuda.cudart().cudaHostRegister(p, n, 0)\n"
    assert keys(code) == ["torch.cuda.cudart"]
    assert keys("import torch\ntorch.cuda.Event.from_ipc_handle(d, h)\n") == [
        "torch.cuda.Event.from_ipc_handle"
    ]


HARD_TO_SEE = [
    "ctypes.CDLL('libcublas.so.12')",
    "ctypes.CDLL('libnvrtc.so')",
    "os.environ['NVIDIA_VISIBLE_DEVICES']",
    "os.environ['CUBLAS_WORKSPACE_CONFIG']",
    "lib.cuMemAlloc(p, n)",
    "scope('gpu0')",
    "run('nvidia-smi')",
    "import torch; getattr(torch, device)",
    "import_module(f'torch.{device}')",
    "import_module('torch.cuda')",
    "import torch; torch.compile(m)",
    "import lightning; lightning.Trainer(gpus=1)",
    "import apex",
]


@pytest.mark.parametrize("code", [*(code for code, _ in CONSTRUCTS), *HARD_TO_SEE])
def test_the_prefilter_passes_whatever_the_scanner_finds(code: str) -> None:
    assert keys(code)
    assert Prefilter(default_rulebook(), ()).passes("m.py", code.encode())
