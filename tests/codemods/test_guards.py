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
    code = f"import torch\nif torch.cuda.is_available():\n    {body}\n    torch.cuda.synchronize()\n"
    assert rewrite(code) == code


def test_kept_around_what_was_not_selected(rewrite):
    code = "import torch\nif torch.cuda.is_available():\n    x.cuda()\n    y = torch.device('cuda')\n"
    assert rewrite(code, ignore=("HPU201",)) == code
    assert rewrite(code, ignore=("HPU210",)) == code
