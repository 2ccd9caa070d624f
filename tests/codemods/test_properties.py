"""What holds for any module: only the span, parses, idempotent, accounted for."""

from __future__ import annotations

import ast
import sysconfig
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from porter.codemods.engine import analyse_text
from porter.codemods.options import Options
from porter.findings import FileResult, Status, apply_edits
from porter.rulebook import default_rulebook

NOISE = [
    "x = 1",
    "cuda = configure('größe')  # cuda:0",
    "args.cuda = not args.cuda",
    "log(f'cuda {x!r:>{w}} done')",
    "def f(cuda, *a, nccl=None, **k): return cuda(a)[k:]",
    "y = [i async for i in z] if False else (lambda torch: torch.cuda)",
    "'''cuda'''",
    "match x:\n    case {'k': [1, *rest], **kw} if rest: pass\n    case _: pass",
    "from numba import cuda as nc\nnc.jit(x)",
    "table = {'cuda': 1, 'a': \"cuda\"}",
    "@d(1)\nclass C(B, tag='cuda'): z: int = 1",
    "global torch",
]
CUDA = [
    "torch.cuda.synchronize(0)",
    "x = y.cuda(1, non_blocking=y.is_cuda)",
    "s = torch.cuda.Stream(device=f'cuda:{torch.cuda.current_device()}', priority=-1)",
    "from torch.cuda import Event, Stream as S",
    "e = Event(enable_timing=True, blocking=x.is_cuda); S().wait_event(e)",
    "from torch import cuda\ncuda.empty_cache()\ncuda.memory_snapshot()",
    "import cupy",
    "cupy.asarray(x.cuda())",
    "import pkg.ops as ops\nops.copy(x.cuda(), torch.cuda.current_stream().cuda_stream)",
    "device = 'cuda' if torch.cuda.is_available() else \"cpu\"",
    "if device.type in ('cpu', 'cuda', 'cuda:1'): pass",
    "assert x.is_cuda, 'must be on CUDA'",
    "where = 'cuda'; z = z.to(where)",
    "d = torch.device('cuda', torch.cuda.current_device())",
    "dist.init_process_group('nccl', device_id=torch.device(f'cuda:{r}'))",
    "os.environ.setdefault('NCCL_SOCKET_IFNAME', os.environ['CUDA_VISIBLE_DEVICES'])",
    'log(f"{x.cuda()} on {torch.cuda.current_device()}")',
    "c = torch.cuda\nc.Stream(); c.nothing_known()",
    "with torch.cuda.stream(s), torch.cuda.amp.autocast(True): torch.cuda.empty_cache()",
    "v = not t.is_cuda == (u.is_cuda)",
    "w: 'torch.cuda.Stream | None' = None",
    "t = torch.cuda.FloatTensor(x.type(torch.cuda.HalfTensor)).cuda()",
    "u = lambda: torch.cuda.empty_cache()",
    "lib = ctypes.CDLL('libcudart.so'); lib.cudaMemcpy(x.data_ptr())",
]
HEADERS = [
    "if torch.cuda.is_available():",
    "if not torch.cuda.is_available():",
    "if device == 'cuda':",
    "if x:",
    "for i in range(3):",
    "while x.is_cuda:",
    "with torch.cuda.device(0):",
    "def g(x, device='cuda'):",
    "async def h(s: torch.cuda.Stream):",
    "class K(torch.nn.Module):",
    "try:",
]
PROLOGUES = [
    "import torch\nimport torch.distributed as dist\nimport os, ctypes\n",
    "# -*- coding: utf-8 -*-\n'''Doc.'''\nfrom __future__ import annotations\nimport torch\n",
    "try:\n    import torch\nexcept ImportError:\n    torch = None\n",
    "def lazy():\n    import torch\n    return torch.cuda.Stream()\n",
    "from torch import nn\n",
    "",
]


def indented(text: str) -> str:
    return "\n".join(f"    {line}" if line else line for line in text.split("\n"))


def compound(parts: tuple[str, list[str]]) -> str:
    header, body = parts
    block = "\n".join(indented(statement) for statement in body)
    tail = "\nexcept Exception:\n    pass" if header == "try:" else ""
    return f"{header}\n{block}{tail}"


simple = st.sampled_from(NOISE + CUDA * 2)
statement = st.recursive(
    simple,
    lambda inner: st.tuples(st.sampled_from(HEADERS), st.lists(inner, min_size=1, max_size=3)).map(
        compound
    ),
    max_leaves=6,
)
modules = st.tuples(
    st.sampled_from(PROLOGUES),
    st.lists(statement, max_size=5),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
).map(lambda parts: finished(*parts))


def finished(prologue: str, statements: list[str], end: str, closed: bool) -> str:
    text = prologue + "\n".join(statements) + ("\n" if closed else "")
    return text.replace("\n", end)


def is_valid(text: str) -> bool:
    try:
        compile(text, "m.py", "exec", ast.PyCF_ONLY_AST)
    except SyntaxError:
        return False
    return True


def analyse(text: str) -> FileResult:
    return analyse_text("pkg/m.py", text, default_rulebook(), Options(), ("pkg.ops",))


def left(result: FileResult) -> Counter[str]:
    """Rules of what stays: what is reported, and the words that an extended list keeps."""
    rules: Counter[str] = Counter()
    for finding in result.findings:
        if finding.rule in ("HPU212", "HPU601"):
            rules["HPU213"] += finding.constructs
        elif finding.status is Status.REPORTED:
            rules[finding.rule] += finding.constructs
    return rules


@settings(max_examples=400, deadline=None)
@given(modules.filter(is_valid))
def test_any_module(text: str) -> None:
    first = analyse(text)
    assert first.unaccounted == 0
    after = apply_edits(text, first.edits)
    assert is_valid(after)
    if not first.findings:
        assert after == text
    second = analyse(after)
    assert apply_edits(after, second.edits) == after
    assert second.unaccounted == 0
    assert left(second) == left(first)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(NOISE), max_size=8).map("\n".join).filter(is_valid))
def test_noise_comes_back_as_it_was(text: str) -> None:
    result = analyse(f"import torch\n{text}\n")
    assert result.edits == ()


def standard_library() -> list[Path]:
    folder = Path(sysconfig.get_paths()["stdlib"])
    return sorted(path for path in folder.glob("*.py") if path.stat().st_size < 80_000)


@pytest.mark.parametrize("path", standard_library()[::3], ids=lambda path: path.name)
def test_the_standard_library_comes_back_as_it_is(path: Path) -> None:
    result = analyse(path.read_text(encoding="utf-8"))
    assert result.edits == ()
    assert [finding.rule for finding in result.findings if finding.rule != "HPU205"] == []
