"""What the look at the bytes lets through, and what it spares the parser."""

from __future__ import annotations

import pytest

from porter.codemods.ignores import may_ignore
from porter.rulebook import default_rulebook
from porter.scan.config import is_config
from porter.scan.prefilter import Prefilter


def test_the_prefilter_passes_every_example_of_the_rulebook() -> None:
    book = default_rulebook()
    for rule in book:
        for example in rule.invalid:
            if is_config(example.path) or may_ignore(example.code.encode()):
                continue
            native = {*example.native, *example.routes}
            assert Prefilter(book, native).passes(example.path, example.code.encode()), rule.id


@pytest.mark.parametrize(
    ("path", "code", "passes"),
    [
        ("m.py", "import re; re.compile(x)", False),
        ("m.py", "import torch; torch.compile(x)", True),
        ("m.py", "from torch._inductor import config", True),
        ("m.py", "import torch, config", False),
        ("pkg/m.py", "from . import c_ops", True),
        ("other/m.py", "from . import c_ops", False),
        ("m.py", "import triton", True),
        ("m.py", "import os, triton.language as tl", True),
        ("m.py", "import os, \\\n    triton", True),
        ("m.py", "\ufeffimport triton", True),
        ("m.py", "try: from triton import jit\nexcept ImportError: pass", True),
        ("m.py", "from triton.language import load", True),
        ("m.py", "from .triton import load", True),
        ("triton/m.py", "from . import load  # of triton", True),
        ("m.py", "from acme.utils import triton", False),
        ("m.py", "import acme.ops\nacme.ops.run('triton')", False),
    ],
)
def test_all_words_of_a_name_stand_in_a_file_or_its_path(
    path: str, code: str, *, passes: bool
) -> None:
    assert Prefilter(default_rulebook(), {"pkg.c_ops"}).passes(path, code.encode()) is passes


def test_the_prefilter_stops_what_has_nothing() -> None:
    assert not Prefilter(default_rulebook(), ()).passes(
        "m.py", b"import torch\nx = torch.zeros(3)\n"
    )


@pytest.mark.parametrize(
    ("code", "passes"),
    [
        ("x.to('cuda:0')", True),
        ("import torch\ntorch._C._cuda_emptyCache()", True),
        ("rt.cudaMalloc(8)", True),
        ("os.environ['CUDA_HOME']", True),
        ("import torch\ntorch.profiler.ProfilerActivity.CUDA", True),
        ("x.cuda_stream", True),
        ("import pycuda", True),
        ("x.pin_memory()", True),
        ("Loader(data, pin_memory = True)", True),
        ("Loader(data, pin_memory=(\n    True))", True),
        ("Loader(data, pin_memory=pin_memory)", False),
        ("use_cuda_graph = cudagraph_mode", False),
        ("x = 1  # as CUDA graphs do", False),
        ("device = 'gpu'", False),
    ],
)
def test_a_part_counts_in_the_shapes_that_a_construct_can_have(code: str, *, passes: bool) -> None:
    assert Prefilter(default_rulebook(), ()).passes("m.py", code.encode()) is passes
