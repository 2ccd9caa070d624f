from __future__ import annotations

import ast
import sysconfig
from keyword import iskeyword
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from porter.validate.counter import (
    ATTRIBUTES,
    STRINGS,
    TORCH_NAMES,
    Category,
    Construct,
    constructs,
    count,
    may_have_cuda,
)
from porter.validate.cuda_only import LIBRARIES
from porter.validate.walk import read_module

NATIVE = ("pkg.fast_ops",)
PATH = "pkg/part/module.py"

# ``@`` stands where the construct is; what comes before the last line is its setting.
PLANTED = {
    "name": (Category.TORCH, "import torch\n@torch.cuda.synchronize()"),
    "name-of-a-class": (Category.TORCH, "import torch\ndef f(s: @torch.cuda.Stream): ..."),
    "module-as-object": (Category.TORCH, "import torch\nuse(@torch.cuda)"),
    "legacy-type": (Category.TORCH, "import torch\nx = @torch.cuda.FloatTensor(3)"),
    "amp": (Category.TORCH, "import torch\nwith @torch.cuda.amp.autocast(): ..."),
    "decorator": (Category.TORCH, "import torch\n@@torch.cuda.amp.custom_fwd\ndef f(): ..."),
    "injected-torch": (Category.TORCH, "def f(torch):\n    return @torch.cuda.device_count()"),
    "private-c": (Category.TORCH, "import torch\n@torch._C._cuda_getDeviceCount()"),
    "gpu-autocast-dtype": (Category.TORCH, "import torch\n@torch.get_autocast_gpu_dtype()"),
    "import": (Category.TORCH, "import @torch.cuda"),
    "import-as": (Category.TORCH, "import @torch.cuda as tc"),
    "from-torch": (Category.TORCH, "from torch import nn, @cuda"),
    "from-torch-cuda": (Category.TORCH, "from torch.cuda import @Stream"),
    "star": (Category.TORCH, "from torch.cuda import @*"),
    "import-module": (Category.TORCH, "import importlib\nimportlib.import_module(@'torch.cuda')"),
    "torch-as-t": (Category.TORCH, "import torch as t\n@t.cuda.empty_cache()"),
    "module-alias": (Category.TORCH, "from torch import cuda as c  # one\n@c.synchronize()"),
    "class-alias": (Category.TORCH, "from torch.cuda import Stream as S  # one\nx = @S()"),
    "assigned-alias": (Category.TORCH, "import torch\ncuda = torch.cuda  # one\n@cuda.Event()"),
    "alias-of-an-alias": (Category.TORCH, "import torch\na = torch\nb = a.cuda  # one\n@b.init()"),
    "conditional-alias": (
        Category.TORCH,
        "import torch\ndev = torch.cuda if gpu else torch.xpu  # one\n@dev.synchronize()",
    ),
    "walrus-alias": (Category.TORCH, "import torch\nif c := torch.cuda: ...  # one\n@c.init()"),
    "local-import": (
        Category.TORCH,
        "def f():\n    from torch import cuda  # one\n    @cuda.init()",
    ),
    "global-import": (
        Category.TORCH,
        "def load():\n    global c\n    from torch import cuda as c  # one\ndef f(): @c.init()",
    ),
    "used-before-import": (Category.TORCH, "def f(): @c.init()\nimport torch.cuda as c  # one"),
    "beside-a-comprehension": (
        Category.TORCH,
        "from torch import cuda  # one\ndef f(xs):\n    [cuda for cuda in xs]\n    @cuda.init()",
    ),
    "method-of-that-name": (
        Category.TORCH,
        "from torch import cuda  # one\nclass A:\n    def cuda(self): return @cuda.init()",
    ),
    "quoted-annotation": (Category.TORCH, "import torch\nx: @'torch.cuda.Stream | None' = None"),
    "name-in-a-string": (Category.TORCH, "patch(@'torch.cuda.is_available', fake)"),
    "inside-an-f-string": (Category.TORCH, "import torch\nf'{@torch.cuda.current_device()} used'"),
    "method": (Category.METHOD, "x.@cuda()"),
    "method-on-a-call": (Category.METHOD, "torch.rand(3).@cuda(0, non_blocking=True)"),
    "method-after-lines": (Category.METHOD, "x = make(\n    3,\n).@cuda()"),
    "unbound-method": (Category.METHOD, "import torch\nmap(@torch.Tensor.cuda, xs)"),
    "is-cuda": (Category.IS_CUDA, "assert x.@is_cuda"),
    "device": (Category.DEVICE, "x.to(@'cuda')"),
    "device-index": (Category.DEVICE, "torch.device(@'cuda:1')"),
    "device-keyword": (Category.DEVICE, "zeros(3, device=@'cuda')"),
    "device-default": (Category.DEVICE, "def f(device=@'cuda'): ..."),
    "device-f-string": (Category.DEVICE, "x.to(@f'cuda:{rank}')"),
    "device-in-an-f-string": (Category.DEVICE, "f\"{@'cuda' if gpu else None}\""),
    "device-format": (Category.DEVICE, "x.to(@'cuda:%d' % rank)"),
    "device-sum": (Category.DEVICE, "x.to(@'cuda:' + str(rank))"),
    "device-compared": (Category.DEVICE, "if x.device.type == @'cuda': ..."),
    "device-case": (Category.DEVICE, "match kind:\n    case @'cuda': ..."),
    "device-case-or": (Category.DEVICE, "match kind:\n    case 'cpu' | @'cuda': ..."),
    "device-gpu": (Category.DEVICE, "place(@'gpu:0')"),
    "backend": (Category.BACKEND, "init_process_group(@'nccl')"),
    "backend-capitals": (Category.BACKEND, "init_process_group(@'NCCL')"),
    "backend-map": (Category.BACKEND, "init_process_group(@'cpu:gloo,cuda:nccl')"),
    "backend-map-first": (Category.BACKEND, "init_process_group(@'cuda:nccl,cpu:gloo')"),
    "process-group": (Category.BACKEND, "isinstance(pg, dist.@ProcessGroupNCCL)"),
    "process-group-import": (
        Category.BACKEND,
        "from torch.distributed import @ProcessGroupNCCL",
    ),
    "nccl-available": (Category.BACKEND, "dist.@is_nccl_available()"),
    "environment": (Category.ENVIRONMENT, "os.environ[@'CUDA_VISIBLE_DEVICES']"),
    "environment-nccl": (Category.ENVIRONMENT, "os.getenv(@'NCCL_DEBUG', '')"),
    "environment-keyword": (Category.ENVIRONMENT, "dict(os.environ, @CUDA_VISIBLE_DEVICES='0')"),
    "library": (Category.LIBRARY, "import @cupy as cp"),
    "library-from": (Category.LIBRARY, "from triton import @jit"),
    "library-nvml": (Category.LIBRARY, "import os, @pynvml"),
    "library-bindings": (Category.LIBRARY, "from cuda.bindings import @runtime"),
    "library-cufile": (Category.LIBRARY, "from cufile.bindings import @cuFileDriverOpen"),
    "library-flash": (Category.LIBRARY, "from flash_attn.layers import @rotary"),
    "library-by-name": (Category.LIBRARY, "xformers = __import__(@'xformers.ops')"),
    "numba-cuda": (Category.LIBRARY, "from numba import @cuda"),
    "numba-cuda-attribute": (Category.LIBRARY, "import numba\n@numba.cuda.jit(f)"),
    "native-import": (Category.NATIVE, "import @pkg.fast_ops"),
    "native-from": (Category.NATIVE, "from pkg import @fast_ops"),
    "native-relative": (Category.NATIVE, "from .. import @fast_ops"),
    "native-call": (Category.NATIVE, "import pkg.fast_ops as ops  # one\n@ops.copy(1)"),
    "native-either": (
        Category.NATIVE,
        "try:\n    import pkg.fast_ops as ops  # one\nexcept ImportError:\n"
        "    import pkg.slow_ops as ops\n@ops.copy(1)",
    ),
    "native-name": (Category.NATIVE, "from pkg.fast_ops import copy  # one\n@copy(1)"),
    "native-reference": (Category.NATIVE, "from pkg import fast_ops  # one\nf = @fast_ops.copy"),
    "ctypes": (Category.RUNTIME, "ctypes.CDLL(@'libcudart.so.12')"),
    "ctypes-by-name": (Category.RUNTIME, "ctypes.util.find_library(@'cudart')"),
    "runtime-call": (Category.RUNTIME, "lib.@cudaHostRegister(pointer, size, 0)"),
    "runtime-of-self": (Category.RUNTIME, "self.lib.@cudaMemcpy(a, b, n, 1)"),
    "management-call": (Category.RUNTIME, "library.@nvmlInit()"),
    "driver-call": (Category.RUNTIME, "driver.@cuMemUnmap(pointer, size)"),
    "array-interface": (Category.RUNTIME, "x.@__cuda_array_interface__"),
    "ipc-share": (Category.IPC, "handle = storage.@_share_cuda_()"),
    "ipc-open": (Category.IPC, "import torch\ntorch.UntypedStorage.@_new_shared_cuda(*handle)"),
    "version": (Category.BUILD, "import torch\nif @torch.version.cuda: ..."),
    "cudnn": (Category.BUILD, "import torch\n@torch.backends.cudnn.benchmark = True"),
    "cudnn-alias": (
        Category.BUILD,
        "import torch.backends.cudnn as dnn  # one\n@dnn.enabled = False",
    ),
    "backends-cuda": (
        Category.BUILD,
        "import torch\n@torch.backends.cuda.matmul.allow_tf32 = True",
    ),
    "extension": (Category.BUILD, "from torch.utils.cpp_extension import @CUDAExtension"),
}

SHADOWED = "from torch import cuda  # one\ndef f(x):\n"

LOOK_ALIKES = {
    "docstring": '"""torch.cuda.synchronize() on cuda:0."""',
    "function-docstring": "def f():\n    'cuda'",
    "comment": "x = 1  # torch.cuda.empty_cache() and 'nccl'",
    "log-line": "log.info('install cuda-toolkit first')",
    "log-line-with-device": "log.info('cuda: out of memory')",
    "log-format": "log.info('memory of cuda device %d', rank)",
    "error-f-string": "raise ValueError(f'no cuda:{rank} here')",
    "version-f-string": "name = f'cuda{version}-runtime'",
    "url": "page = 'https://docs.nvidia.com/cuda/cuda-runtime-api'",
    "prose-key": "help = {'cuda version': 'what nvcc prints', 'Use cuda?': True}",
    "bytes": "magic = b'cuda'",
    "local-variable": "cuda = read('config')\ncuda.synchronize()",
    "parameter": "from torch import cuda  # one\ndef f(cuda): return cuda.synchronize()",
    "loop-variable": f"{SHADOWED}    for cuda in names: print(cuda.value)",
    "caught": f"{SHADOWED}    try: ...\n    except OSError as cuda: print(cuda.args)",
    "opened": f"{SHADOWED}    with open(path) as cuda: cuda.read()",
    "attribute-of-self": "self.cuda.value = 1",
    "keyword-name": "build(cuda=True, use_nccl=False)",
    "definition": "def cuda_memory(): ...",
    "class": "class CudaThing: ...",
    "numba-after-import": "from numba import cuda  # one\ncuda.synchronize()",
    "cupy-after-import": "import cupy  # one\ncupy.cuda.Device(0).use()",
    "relative-triton": "from .triton import kernel",
    "own-module": "import pkg.triton.kernel",
    "own-cuda-module": "from pkg.devices.cuda import context\ncontext.open()",
    "other-native": "import pkg.fast_ops_python as ops\nops.copy(1)",
    "other-torch-name": "import torch\ntorch.cudagraph_skip()",
    "other-device": "x.to('cpu'); y.to('hpu'); z.to('mycuda:0')",
    "own-attribute": "self.cudaPath = find()\nprint(self.cudaPath)",
    "environment-in-prose": "log.info('set CUDA_VISIBLE_DEVICES=0 to use one card')",
    "lower-environment": "settings['cuda_visible_devices']",
    "nccl-in-prose": "raise RuntimeError('nccl failed')",
    "library-of-the-name": "load('libcurl.so.4'); load('https://x.org/libcudart.so')",
    "library-probe": "have = importlib.util.find_spec('xformers')",
    "library-word": "title = 'triton'",
    "match-capture": f"{SHADOWED}    match x:\n        case [cuda, *_]: print(cuda.value)",
    "match-rest": f"{SHADOWED}    match x:\n        case [_, *cuda]: print(cuda.index)",
    "match-mapping": f"{SHADOWED}    match x:\n        case {{**cuda}}: print(cuda.keys)",
}


def is_name(text: str) -> bool:
    return all(part.isidentifier() and not iskeyword(part) for part in text.split("."))


def planted(snippet: str) -> tuple[str, int, int]:
    """The source without its mark, and the line and column that it stood at."""
    before, _, _ = snippet.rpartition("@")
    line = before.count("\n") + 1
    column = len(before) - (before.rfind("\n") + 1) + 1
    at = len(before)
    return snippet[:at] + snippet[at + 1 :], line, column


def without_setting(source: str, found: list[Construct]) -> list[Construct]:
    """Constructs on lines marked ``# one`` belong to the setting: one each."""
    lines = source.split("\n")
    marked = [line for line, text in enumerate(lines, start=1) if text.endswith("# one")]
    assert [item.line for item in found if item.line in marked] == marked
    return [item for item in found if item.line not in marked]


@pytest.mark.parametrize(("category", "snippet"), PLANTED.values(), ids=PLANTED.keys())
def test_sees(category: Category, snippet: str) -> None:
    source, line, column = planted(snippet)
    (found,) = without_setting(source, count(source, PATH, NATIVE))
    assert (found.line, found.column, found.category) == (line, column, category)


@pytest.mark.parametrize("source", LOOK_ALIKES.values(), ids=LOOK_ALIKES.keys())
def test_passes_over(source: str) -> None:
    assert without_setting(source, count(source, PATH, NATIVE)) == []


def test_planted_and_look_alikes_are_many() -> None:
    assert len(PLANTED) >= 30
    assert len(LOOK_ALIKES) >= 15


def test_each_construct_of_a_line_counts() -> None:
    found = count("import torch\nx = y.cuda() if torch.cuda.is_available() else z.to('cuda')")
    assert [item.category for item in found] == [Category.METHOD, Category.TORCH, Category.DEVICE]


def test_the_runtime_of_torch_is_one_construct() -> None:
    found = count("import torch\ntorch.cuda.cudart().cudaHostRegister(p, n, 0)")
    assert [(item.column, item.text) for item in found] == [(1, "torch.cuda.cudart")]


def test_a_method_further_on_is_another() -> None:
    found = count("import torch\ntorch.cuda.FloatTensor(3).cuda()")
    assert [(item.column, item.text) for item in found] == [
        (1, "torch.cuda.FloatTensor"),
        (27, ".cuda()"),
    ]


def test_each_imported_name_counts() -> None:
    found = count("from torch.cuda import (\n    Event,\n    Stream,\n)")
    assert [(item.line, item.text) for item in found] == [
        (2, "torch.cuda.Event"),
        (3, "torch.cuda.Stream"),
    ]


def test_columns_count_characters() -> None:
    (found,) = count("größe = 'é'; x.cuda()")
    assert found.column == 16


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_python_ends_them(end: str) -> None:
    source = end.join(["s = 'a\x0cb\x0bc\u2028d'", "é = 1; x.cuda()"])
    (found,) = count(source)
    assert (found.line, found.column) == (2, 10)


def test_deep_nesting_is_read() -> None:
    source = "x = " + " + ".join(["'a'"] * 900) + " + 'cuda'"
    assert [item.category for item in count(source)] == [Category.DEVICE]


def test_a_name_that_refers_to_itself_ends() -> None:
    assert count("cuda = cuda or None\ncuda.x\na = b\nb = a\na.cuda") == []


def test_a_syntax_error_is_raised() -> None:
    with pytest.raises(SyntaxError):
        count("torch.cuda.(")


def test_no_warning_of_the_source_leaks(recwarn: pytest.WarningsRecorder) -> None:
    assert len(count(r"x = '\d'; y.cuda()")) == 1
    assert not recwarn.list


@given(
    st.from_regex(STRINGS, fullmatch=True).map(repr)
    | st.from_regex(ATTRIBUTES, fullmatch=True).map("x.{}".format)
    | st.from_regex(TORCH_NAMES, fullmatch=True).map(lambda name: name.rstrip(".")).filter(is_name)
    | st.sampled_from(sorted(LIBRARIES)).map("import {}".format)
)
def test_the_cheap_look_hides_nothing(source: str) -> None:
    seen = constructs(read_module(ast.parse(source), source))
    assert may_have_cuda(source) or not seen


def test_the_standard_library_has_none() -> None:
    """Read without the cheap look, so that the reading itself meets real code."""
    files = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
    assert len(files) > 100
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert constructs(read_module(ast.parse(text), text)) == [], path.name


@given(
    st.lists(st.sampled_from(sorted(PLANTED)), min_size=1, max_size=8),
    st.lists(st.sampled_from(sorted(LOOK_ALIKES)), max_size=8),
)
def test_modules_of_functions_add_up(seen: list[str], overlooked: list[str]) -> None:
    """Each snippet in a function of its own: one sees no binding of another."""
    snippets = [planted(PLANTED[name][1])[0] for name in seen if name != "star"]
    snippets += [LOOK_ALIKES[name] for name in overlooked]
    alone = sum(len(count(snippet, PATH, NATIVE)) for snippet in snippets)
    together = "\n".join(
        f"def f{index}():\n" + "\n".join(f"    {line}" for line in snippet.split("\n"))
        for index, snippet in enumerate(snippets)
        if "global" not in snippet
    )
    globals_ = sum(len(count(s, PATH, NATIVE)) for s in snippets if "global" in s)
    assert len(count(together, PATH, NATIVE)) == alone - globals_
