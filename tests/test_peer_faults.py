"""Faults seen in other porting tools when they were run on LMCache, each ruled out here.

Every snippet is our own, in the shape of the code that showed the fault.
"""

from __future__ import annotations

import ast
import re
import shutil
import stat
from pathlib import Path

from porter.codemods.engine import analyse, analyse_text
from porter.codemods.options import Options
from porter.findings import FileResult, Result, Status, apply_edits
from porter.resources import rules_folder
from porter.rewrite import rewrite, write_tree
from porter.rulebook import Rulebook, default_rulebook
from porter.sources.tree import Kind, SourceTree

BOOK = default_rulebook()


def run(code: str, native: tuple[str, ...] = (), **options: object) -> tuple[str, FileResult]:
    result = analyse_text("pkg/m.py", code, BOOK, Options(**options), native)  # type: ignore[arg-type]
    return apply_edits(code, result.edits), result


def run_tree(folder: Path) -> Result:
    return analyse(SourceTree(folder, Kind.FOLDER, str(folder)), BOOK)


def test_invented_api() -> None:
    code = """import ctypes
import torch
torch.cuda.cudart().cudaHostRegister(buffer.data_ptr(), size, 0)
handle = storage._share_cuda_()
again = storage._new_shared_cuda(*handle)
lib = ctypes.CDLL("libcudart.so")
lib.cudaMemcpy(buffer.data_ptr(), source, size, 1)
"""
    after, result = run(code)
    assert after == code
    found = [(finding.line, finding.rule) for finding in result.findings]
    assert found == [
        *((3, "HPU530"), (3, "HPU222"), (4, "HPU511"), (5, "HPU511")),
        *((6, "HPU510"), (7, "HPU510"), (7, "HPU222")),
    ]


def test_every_emitted_name_exists() -> None:
    names = [f"torch.cuda.{name}" for name in ("Stream", "empty_cache", "cudart", "mem_get_info")]
    code = "import torch\n" + "".join(f"x = {name}\n" for name in names)
    after, _ = run(code)
    for name in re.findall(r"torch\.hpu\.\w+", after):
        assert BOOK.api.has(name)


def test_broken_import() -> None:
    """A module of the package is not renamed because its name holds the word."""
    code = "import pkg.non_cuda_equivalents as ops\nfrom pkg.cuda_utils import helper\n"
    assert run(code)[0] == code


def test_native_calls_unseen() -> None:
    code = "import pkg.c_ops as ops\nops.load(1)\nops.store(2)\n"
    after, result = run(code, native=("pkg.c_ops",))
    assert after == code
    assert [finding.rule for finding in result.findings] == ["HPU500", "HPU502", "HPU502"]


def test_guard_inversion() -> None:
    code = """import torch
if torch.cuda.is_available():
    import pkg.c_ops as ops
else:
    import pkg.non_cuda_equivalents as ops
"""
    assert run(code, native=("pkg.c_ops",))[0] == code


def test_third_party_protocol_strings() -> None:
    code = 'descriptors = agent.get_reg_descs(memory, mem_type="cuda")\n'
    after, result = run(code)
    assert after == code
    assert [finding.rule for finding in result.findings] == ["HPU214"]


def test_missed_constructs() -> None:
    code = """import torch
a = f"cuda:{rank}"
b = x.is_cuda
c = (
    x
    .cuda()
)
with torch.cuda.stream(s):
    pass
"""
    after, result = run(code, add_imports=False)
    assert "cuda" not in after
    assert result.unaccounted == 0


def test_fstrings_and_comparisons() -> None:
    code = """def place(device, rank):
    if device == "cuda" or device.startswith("cuda"):
        return f"cuda:{rank}"
    match device:
        case "cpu" | "cuda":
            return device
"""
    after, _ = run(code, add_imports=False)
    assert after == code.replace('f"cuda:{rank}"', '"hpu"').replace("cuda", "hpu")


def test_half_edited_docs() -> None:
    """Prose stays whole: no docstring, comment, log line or address is touched."""
    code = '''"""Runs on cuda, see https://docs.nvidia.com/cuda/guide."""
import torch


def copy(device="cpu"):
    """``device`` could be "cpu", "cuda", or "cuda:0"."""
    # cuda:0 unless told otherwise
    logger.info(f"Setting cuda device to {device}")
    torch.cuda.synchronize()
'''
    after, _ = run(code, add_imports=False)
    assert after == code.replace("torch.cuda.synchronize", "torch.hpu.synchronize")


def test_changed_documentation_url() -> None:
    code = """import torch
HELP = "https://docs.nvidia.com/cuda/cuda-c-programming-guide"
x = y.cuda()  # see https://docs.nvidia.com/cuda/
"""
    after, _ = run(code, add_imports=False)
    assert after == code.replace("y.cuda()", 'y.to("hpu")')


def test_changed_comments_and_log_text() -> None:
    code = """import torch
# cuda kernels run on the current cuda stream
torch.cuda.synchronize()  # wait for cuda
log.warning("cuda is slow: %s", "CUDA error on cuda:0")
print(f"cuda:{rank} is done", "nccl failed")
"""
    after, _ = run(code, add_imports=False)
    assert after == code.replace("torch.cuda.synchronize", "torch.hpu.synchronize")


def test_lost_comments_licences_and_wrapping() -> None:
    code = """# SPDX-License-Identifier: Apache-2.0
#   ( kept  as it is )


import torch

x = torch.zeros(
    3,   # three
    device = "cuda",  # fast

)
"""
    after, _ = run(code, add_imports=False)
    assert after == code.replace('"cuda"', '"hpu"')


def test_a_mark_that_breaks_the_source() -> None:
    """What has no counterpart is reported, not marked in the code."""
    code = "import torch\ntorch.cuda.memory_snapshot()\ntorch.cuda.synchronize()\n"
    after, result = run(code, add_imports=False)
    ast.parse(after)
    assert after == code.replace("cuda.sync", "hpu.sync")
    assert [finding.rule for finding in result.findings] == ["HPU413", "HPU320"]


def test_an_assertion_message_follows_its_test() -> None:
    code = 'assert x.device.type == "cuda", "The device should be CUDA."\n'
    after, _ = run(code, add_imports=False)
    assert after == 'assert x.device.type == "hpu", "The device should be HPU."\n'


def test_a_second_run_changes_nothing() -> None:
    code = "import torch\nx = torch.zeros(3).cuda()\ntorch.cuda.Event(blocking=True)\n"
    once, _ = run(code)
    twice, _ = run(once)
    assert once == twice != code
    assert twice.count("import habana_frameworks") == 1


def test_originals_are_never_lost(tmp_path: Path) -> None:
    """Analysing writes nothing; the journal of ``--write`` is tested with porter.rewrite."""
    file = tmp_path / "m.py"
    file.write_text("x.cuda()\n")
    before = file.stat()
    run_tree(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["m.py"]
    assert file.stat().st_mtime_ns == before.st_mtime_ns


def test_noise() -> None:
    """A device that holds no CUDA word is not wrapped, whatever it may be at run time."""
    code = "import torch\nx = y.to(device)\nz = torch.zeros(3, device=self.device)\n"
    after, result = run(code)
    assert after == code and result.findings == ()


def test_an_expression_that_is_written_twice() -> None:
    """A device that is computed is computed once, and no line grows past what it was."""
    code = """import torch
def place(x, pick):
    return torch.zeros(3, device=pick()).to(pick(), non_blocking=True).cuda(pick())
"""
    after, _ = run(code, add_imports=False)
    assert after.count("pick()") == 2
    assert max(map(len, after.splitlines())) <= max(map(len, code.splitlines()))


def test_import_only_where_it_is_needed(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import torch\nx = torch.zeros(3)\n")
    (tmp_path / "b.py").write_text("import torch\nlib = torch.cuda.memory_snapshot()\n")
    (tmp_path / "c.py").write_text("import torch\nx.cuda()\n")
    edited = {file.path: file.edits for file in run_tree(tmp_path).files if file.edits}
    assert set(edited) == {"c.py"}
    assert sum("habana_frameworks" in edit.replacement for edit in edited["c.py"]) == 1


def test_a_comment_and_its_import_stay_together() -> None:
    code = "# Standard\nimport os\n\n# Third Party\nimport torch\nx.cuda()\n"
    after, _ = run(code)
    assert "# Third Party\nimport torch\nimport habana_frameworks.torch" in after


def test_reference_and_call_are_spelled_alike() -> None:
    code = """import torch
def f(s: torch.cuda.Stream) -> "torch.cuda.Stream":
    return torch.cuda.Stream() if s is None else torch.cuda.current_device
"""
    after, _ = run(code, add_imports=False)
    assert after == code.replace("torch.cuda", "torch.hpu")


def test_unknown_is_what_is_unknown() -> None:
    """Names of torch that have nothing to do with CUDA are no findings."""
    code = "import torch\nx = torch.Size([1])\nwith torch.inference_mode():\n    torch.unbind(y)\n"
    assert run(code)[1].findings == ()


def test_guesses_without_a_place(tmp_path: Path) -> None:
    """An assignment through a mask is no finding; each that is one names its file and line."""
    (tmp_path / "m.py").write_text("import torch\nx[x > 0] = 1\ntorch.cuda.memory_snapshot()\n")
    (finding,) = run_tree(tmp_path).findings()
    assert (finding.path, finding.line, finding.name) == ("m.py", 3, "torch.cuda.memory_snapshot")


def test_a_folder_is_read_whole(tmp_path: Path) -> None:
    """Neither a folder, nor a file that does not parse, ends the run."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.py").write_text("x.cuda()\n")
    (tmp_path / "b.py").write_text("print 'cuda'\n")
    found = [(finding.path, finding.rule) for finding in run_tree(tmp_path).findings()]
    assert found == [("b.py", "HPU004"), ("sub/a.py", "HPU201")]


def test_paths_with_signs_in_them(tmp_path: Path) -> None:
    """Porter's rules and the code under review may lie in folders of any name."""
    place = tmp_path / "g++ (2) #%é"
    shutil.copytree(rules_folder(), place / "rules")
    (code := place / "code").mkdir()
    (code / "m.py").write_text("x.cuda()\n")
    book = Rulebook.load(place / "rules")
    result = analyse(SourceTree(code, Kind.FOLDER, str(code)), book)
    assert [finding.rule for finding in result.findings()] == ["HPU201"]


def test_permissions(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    for name, mode in (("a.py", 0o755), ("b.py", 0o664)):
        (source / name).write_text("x.cuda()\n")
        (source / name).chmod(mode)
    tree, result = SourceTree(source, Kind.FOLDER, str(source)), run_tree(source)
    write_tree(tree, result, target)
    rewrite(tree, result)
    for folder in (source, target):
        assert stat.S_IMODE((folder / "a.py").stat().st_mode) == 0o755
        assert stat.S_IMODE((folder / "b.py").stat().st_mode) == 0o664
        assert 'x.to("hpu")' in (folder / "a.py").read_text()


def test_a_rewritten_kernel(tmp_path: Path) -> None:
    """CUDA's own sources keep every byte, and are said to be there."""
    kernel = b'// cudaMalloc\n#include <cuda_bf16.h>\nconst char* e = "failed on cuda:0";\n'
    (tmp_path / "k.cu").write_bytes(kernel)
    result = run_tree(tmp_path)
    assert [finding.rule for finding in result.findings()] == ["HPU570"]
    assert result.summary().reported == 1 and not any(file.edits for file in result.files)


def test_match_statements_do_not_crash() -> None:
    code = 'match device:\n    case "cuda" | "cpu" if x:\n        y.cuda()\n    case _: pass\n'
    after, _ = run(code, add_imports=False)
    assert after == code.replace('"cuda"', '"hpu"').replace("y.cuda()", 'y.to("hpu")')


def test_wait_is_never_a_mark_step() -> None:
    after, _ = run("import torch\ntorch.cuda.synchronize()\nstream.synchronize()\n")
    assert "mark_step" not in after
    assert "torch.hpu.synchronize()\nstream.synchronize()" in after


def test_what_was_not_converted_is_said() -> None:
    """No report of "100 %" over a file that still needs CUDA."""
    _, result = run("import cupy\nimport triton\nx = cupy.asarray(y)\n")
    assert {finding.status for finding in result.findings} == {Status.REPORTED}
    assert result.unaccounted == 0
