"""Whole trees: odd files, native modules, backends, processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from porter.codemods.engine import analyse, native_modules
from porter.codemods.options import Options
from porter.findings import Result, apply_edits
from porter.rulebook import default_rulebook
from porter.sources.text import SourceText
from porter.sources.tree import Kind, SourceTree


def tree_of(folder: Path, **files: bytes) -> SourceTree:
    for name, data in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.with_suffix(".py") if not path.suffix else path).write_bytes(data)
    return SourceTree(folder, Kind.FOLDER, "tree")


def run(tree: SourceTree, jobs: int = 1) -> Result:
    return analyse(tree, default_rulebook(), Options(add_imports=False), jobs=jobs)


@pytest.mark.parametrize(
    "data",
    [
        b"def cuda(:\n",
        b"x = 'cuda\n",
        b"print 'cuda'\n",
        b"# -*- coding: nonsense -*-\nx.cuda()\n",
        b"x = 'cuda'\xff\n",
        b"x.cuda()\x00\n",
        b"x = " + b"(" * 3000 + b"'cuda'" + b")" * 3000 + b"\n",
    ],
    ids=["syntax", "string", "python2", "cookie", "bytes", "nul", "deep"],
)
def test_a_file_that_cannot_be_parsed_is_one_reported_construct(tmp_path, data):
    result = run(tree_of(tmp_path, bad=data, good=b"x.cuda()\n"))
    bad, good = result.files
    assert [finding.rule for finding in bad.findings] == ["HPU004"]
    assert bad.edits == () and bad.unaccounted == 0
    assert good.edits


def test_code_may_nest_deeper_than_python_calls(tmp_path):
    terms = b" + ".join(b"x" for _ in range(2500))
    result = run(tree_of(tmp_path, m=b"y = " + terms + b"\nx.cuda()\n"))
    assert [finding.rule for finding in result.findings()] == ["HPU201"]


def test_a_broken_file_without_cuda_is_nobodys_business(tmp_path):
    assert run(tree_of(tmp_path, bad=b"def (:\n")).files == ()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"\xef\xbb\xbfx.cuda()\r\n",
        b"# coding: latin-1\nx = '\xe9'; x.cuda()\n",
        b"# coding: shift_jis\n# \x83\x5c\nx = y.cuda()  # \x95\x5c\n",
        b"x.cuda()\r\ny = 1\nz.cuda()\r",
        b"if x:\n\ty.cuda()\n",
    ],
    ids=["empty", "blank", "bom", "latin", "sjis", "mixed", "tabs"],
)
def test_bytes_outside_the_span_stay(tmp_path, data):
    result = run(tree_of(tmp_path, m=data))
    source = SourceText.decode(data)
    edits = result.files[0].edits if result.files else ()
    after = source.encode(apply_edits(source.text, edits))
    assert after == data.replace(b".cuda()", b'.to("hpu")')


def test_native_modules_are_those_that_link_torch(tmp_path, make_elf):
    tree = tree_of(tmp_path, pkg__m=b"from pkg import ops, fast\nops.f(); fast.g()\n")
    (tmp_path / "pkg" / "ops.cpython-311-x86_64-linux-gnu.so").write_bytes(make_elf("libtorch.so"))
    (tmp_path / "pkg" / "fast.abi3.so").write_bytes(make_elf("libc.so.6"))
    assert list(native_modules(tree)) == ["pkg.ops"]
    assert [finding.rule for finding in run(tree).findings()] == ["HPU500", "HPU502"]


def test_native_modules_that_are_still_to_be_built(tmp_path):
    setup = b"setup(ext_modules=[CUDAExtension(\n    'pkg.ops', sources)])\n"
    code = b"import torch\nif torch.cuda.is_available():\n    import pkg.ops as ops\n"
    tree = tree_of(tmp_path, pkg__m=code, setup=setup)
    assert list(native_modules(tree)) == ["pkg.ops"]
    assert [file.edits for file in run(tree).files if file.path == "pkg/m.py"] == [()]


def test_a_backend_beside_one_for_hpu_is_left_alone(tmp_path):
    code = b"import torch\ndef ok():\n    return torch.cuda.is_available()\n"
    tree = tree_of(
        tmp_path,
        pkg__devices__cuda__spec=code,
        pkg__devices__hpu__spec=b"x = 1\n",
        pkg__cuda__spec=code,
    )
    rules = {file.path: file.findings[0].rule for file in run(tree).files}
    assert rules == {"pkg/cuda/spec.py": "HPU101", "pkg/devices/cuda/spec.py": "HPU013"}


def test_processes_agree_with_one_and_progress_counts(tmp_path):
    files = {f"m{number}": b"import torch\nx.cuda()\n" * (number % 3) for number in range(30)}
    tree = tree_of(tmp_path, **files)
    seen: list[tuple[int, int]] = []
    alone = analyse(
        tree, default_rulebook(), jobs=1, progress=lambda done, total: seen.append((done, total))
    )
    assert analyse(tree, default_rulebook(), jobs=2) == alone
    assert seen == [(number, 30) for number in range(1, 31)]
