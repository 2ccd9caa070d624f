"""A branch that needs CUDA never opens on HPU."""

import pytest

KEPT = [
    "if torch.cuda.is_available():\n    import cupy\n",
    "if torch.cuda.is_available():\n    import pkg.ops as ops\nelse:\n    import pkg.py as ops\n",
    "if flag and torch.cuda.is_available():\n    import cupy\n",
    "if not torch.cuda.is_available():\n    raise RuntimeError('no GPU')\nimport cupy\n",
    "def f():\n    if not torch.cuda.is_available():\n        return\n    import cupy\n",
    "assert torch.cuda.is_available()\nimport cupy\n",
    "import cupy\nif torch.cuda.is_available():\n    x = cupy.asarray(y)\n",
    "import cupy\nx = cupy.asarray(y) if torch.cuda.is_available() else y\n",
    "HAS = torch.cuda.is_available()\ndef f():\n    if HAS:\n        import cupy\n",
    "if x.device.type == 'cuda':\n    import cupy\n",
    "if x.is_cuda:\n    import cupy\n",
    "if torch.cuda.device_count() > 0:\n    import cupy\n",
    "if torch.cuda.is_available() and torch.cuda.get_device_capability()[0] > 7:\n    x = 1\n",
    "if torch.cuda.is_available():\n    x = torch.cuda.get_device_properties(0)\n",
    "if torch.cuda.is_available():\n    x.cuda()\n    lib = ctypes.CDLL('libcudart.so')\n",
    "@mark.skipif(not torch.cuda.is_available(), reason='x')\ndef test():\n    import cupy\n",
    "while torch.cuda.is_available():\n    import cupy\n",
    # comparisons that hold where the device is not there
    "if x.device.type != 'cuda':\n    y = 1\nelse:\n    import cupy\n",
    "def f(x):\n    if x.device.type != 'cuda':\n        return x\n    import cupy\n",
    "def f(d):\n    if d.device not in ('cuda',):\n        return d\n    import cupy\n",
    "def f(device):\n    if not device.startswith('cuda'):\n        return 1\n    import cupy\n",
    "if torch.cuda.is_available() is False:\n    x = 1\nelse:\n    import cupy\n",
    "if torch.cuda.device_count() == 0:\n    raise E\nimport cupy\n",
    # flags
    "use: bool = torch.cuda.is_available()\nif use:\n    import cupy\n",
    "a = b = torch.cuda.is_available()\nif b:\n    import cupy\n",
    "if (n := torch.cuda.device_count()) > 0:\n    import cupy\n",
    "def f(use=torch.cuda.is_available()):\n    if use:\n        import cupy\n",
    "no = not torch.cuda.is_available()\nif no:\n    raise E\nimport cupy\n",
    "HAS = True if torch.cuda.is_available() else False\nif HAS:\n    import cupy\n",
    "HAS = False\nif torch.cuda.is_available():\n    HAS = True\nif HAS:\n    import cupy\n",
    "class C:\n    def __init__(self):\n        self.use = torch.cuda.is_available()\n"
    "    def f(self):\n        if self.use:\n            import cupy\n",
    "def has():\n    return torch.cuda.is_available()\nif has():\n    import cupy\n",
    "if bool(torch.cuda.is_available()):\n    import cupy\n",
    # loops
    "for i in range(torch.cuda.device_count()):\n    torch.cuda.get_device_properties(i)\n",
    "p = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]\n",
    "p = [torch.cuda.cudart() for i in r if torch.cuda.is_available()]\n",
    # exits and skips
    "def t():\n    if not torch.cuda.is_available():\n        pytest.skip()\n    import triton\n",
    "needs = mark.skipif(not torch.cuda.is_available())\n@needs\ndef t():\n    import triton\n",
    "def f():\n    with x:\n        if not torch.cuda.is_available():\n            return\n"
    "    import triton\n",
    # match
    "match device:\n    case 'cuda':\n        import cupy\n    case _:\n        pass\n",
    "match device:\n    case 'cuda':\n        x.cuda()\n    case 'hpu':\n        x.hpu()\n",
    # code elsewhere in the module
    "def fast(x):\n    import cupy\ndef f(x):\n    if x.is_cuda:\n        return fast(x)\n",
    "import triton\n@triton.jit\ndef k(): pass\ndef f(x):\n    if x.is_cuda:\n        k[(1,)](x)\n",
    "try:\n    import pynvml\nexcept ImportError:\n    pynvml = None\n"
    "if torch.cuda.is_available() and pynvml is not None:\n    pynvml.nvmlInit()\n",
    # a word that stays
    "if torch.cuda.is_available():\n    names.append('cuda')\n",
    "names = ['cpu'] + (['cuda'] if torch.cuda.is_available() else [])\n",
    "if t == 'cuda':\n    torch.cuda.synchronize()\nif t == 'hpu':\n    torch.hpu.synchronize()\n",
    "d = 'hpu' if HAS_HPU else 'cuda' if torch.cuda.is_available() else 'cpu'\n",
    "if torch.cuda.is_available():\n    x.cuda()\nelif torch.hpu.is_available():\n    x.hpu()\n",
    "if torch.hpu.is_available():\n    x.hpu()\nelif torch.cuda.is_available():\n    x.cuda()\n",
    "if d.type == 'cuda':\n    torch.cuda.synchronize()\nelif d.type == 'hpu':\n    wait()\n",
]


@pytest.mark.parametrize("code", KEPT)
def test_kept_with_everything_inside(rewrite, analyse, code):
    code = f"import torch\n{code}"
    assert rewrite(code, native=("pkg.ops",)) == code
    assert analyse(code, native=("pkg.ops",)).unaccounted == 0


OPENED = [
    (
        "if torch.cuda.is_available():\n    x.cuda()\n",
        'if torch.hpu.is_available():\n    x.to("hpu")\n',
    ),
    (
        "if not torch.cuda.is_available():\n    device = 'cpu'\n",
        "if not torch.hpu.is_available():\n    device = 'cpu'\n",
    ),
    (
        "if torch.cuda.is_available():\n    x = 1\nelse:\n    import cupy\n",
        "if torch.hpu.is_available():\n    x = 1\nelse:\n    import cupy\n",
    ),
    (
        "if torch.cuda.is_available():\n    x = 1\nimport cupy\n",
        "if torch.hpu.is_available():\n    x = 1\nimport cupy\n",
    ),
    (
        "if torch.cuda.is_available():\n    y = 1\n    if x.is_cuda:\n        import cupy\n",
        "if torch.hpu.is_available():\n    y = 1\n    if x.is_cuda:\n        import cupy\n",
    ),
    ("x = torch.cuda.is_available()\n", "x = torch.hpu.is_available()\n"),
]


@pytest.mark.parametrize(("before", "after"), OPENED)
def test_opened_where_nothing_in_it_needs_cuda(rewrite, before, after):
    assert rewrite(f"import torch\n{before}") == f"import torch\n{after}"


def test_a_routed_native_module_opens_the_guard(rewrite):
    code = """import torch
if torch.cuda.is_available():
    import pkg.ops as ops
"""
    assert (
        rewrite(code, routes={"pkg.ops": "pkg.hpu.ops"})
        == """import torch
if torch.hpu.is_available():
    import pkg.hpu.ops as ops
"""
    )


def test_the_guard_says_what_holds_it_shut(analyse):
    result = analyse("import torch\nif torch.cuda.is_available():\n    import cupy\n")
    guard = next(finding for finding in result.findings if finding.rule == "HPU010")
    assert guard.message.startswith("it needs cupy")


@pytest.mark.parametrize(
    "body", ["x.cuda(*args)", "y = torch.cuda.empty_cache()", "torch.cuda.Event(interprocess=True)"]
)
def test_kept_around_a_call_that_stays(rewrite, body):
    code = (
        f"import torch\nif torch.cuda.is_available():\n    {body}\n    torch.cuda.synchronize()\n"
    )
    assert rewrite(code) == code


def test_kept_around_what_was_not_selected(rewrite):
    code = (
        "import torch\nif torch.cuda.is_available():\n    x.cuda()\n    y = torch.device('cuda')\n"
    )
    assert rewrite(code, ignore=("HPU201",)) == code
    assert rewrite(code, ignore=("HPU210",)) == code
