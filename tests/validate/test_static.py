from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from porter.errors import PorterError
from porter.sources.tree import Kind, SourceTree
from porter.validate import static
from porter.validate.rung import Outcome, Status

Make = Callable[..., Any]
DIST_INFO = "pkg-1.0.dist-info"
CLEAN = {
    "pkg/__init__.py": "",
    "pkg/a.py": "import torch\nx = torch.zeros(3, device='hpu')\ntorch.hpu.synchronize()\n",
}


def failures(outcome: Outcome) -> list[str]:
    return [f"{item.path}:{item.line}: {item.what}" for item in outcome.failures]


def check(tree: SourceTree) -> list[str]:
    outcome = static.check(tree)
    assert outcome.status is (Status.FAILED if outcome.failures else Status.PASSED)
    return failures(outcome)


def test_a_clean_wheel_passes(make_wheel: Make) -> None:
    outcome = static.check(make_wheel(CLEAN))
    assert (outcome.status, outcome.failures, outcome.notes) == (Status.PASSED, (), ())
    assert outcome.summary.startswith("2 Python files, 0 CUDA constructs, none")


def test_a_reported_construct_passes(make_wheel: Make, finding: Make, remaining: Make) -> None:
    files = {**CLEAN, "pkg/b.py": "x = y.cuda()\n"}
    left = remaining(finding("pkg/b.py", 1, 5, 13))
    outcome = static.check(make_wheel(files, remaining=left))
    assert outcome.status is Status.PASSED
    assert "1 CUDA construct, none" in outcome.summary


def test_an_unreported_construct_fails(make_wheel: Make, remaining: Make) -> None:
    tree = make_wheel({**CLEAN, "pkg/b.py": "\nx = y.cuda()\n"}, remaining=remaining())
    assert check(tree) == ["pkg/b.py:2: '.cuda()' (.cuda()) is unaccounted for"]


def test_without_the_list_nothing_is_accounted_for(make_wheel: Make) -> None:
    assert len(check(make_wheel({"pkg/b.py": "x = y.cuda()\nz.to('cuda')\n"}))) == 2


def test_a_stub_is_read_too(make_wheel: Make) -> None:
    tree = make_wheel({**CLEAN, "pkg/b.pyi": "import torch\nx: torch.cuda.Stream\n"})
    assert check(tree) == ["pkg/b.pyi:2: 'torch.cuda.Stream' (torch.cuda) is unaccounted for"]


def test_native_modules_come_from_the_list(make_wheel: Make, remaining: Make) -> None:
    tree = make_wheel(
        {**CLEAN, "pkg/b.py": "from pkg import c_ops\n"},
        remaining=remaining(native_modules=["pkg.c_ops"]),
    )
    assert check(tree) == ["pkg/b.py:1: 'pkg.c_ops' (native module) is unaccounted for"]


def test_a_compiled_file_for_cuda(make_wheel: Make, shared_object: Make) -> None:
    """It fails, and so do the imports of it, which the list of a plain wheel does not name."""
    tree = make_wheel(
        {
            **CLEAN,
            "pkg/b.py": "from pkg import c_ops\n",
            "pkg/c_ops.abi3.so": shared_object("libtorch.so"),
        },
        tag="cp311-cp311-linux_x86_64",
    )
    assert check(tree) == [
        "pkg/b.py:1: 'pkg.c_ops' (native module) is unaccounted for",
        "pkg/c_ops.abi3.so:1: links libtorch.so",
    ]


def test_another_compiled_file_needs_a_tag(make_wheel: Make, shared_object: Make) -> None:
    tree = make_wheel({**CLEAN, "pkg/fast.so": shared_object("libc.so.6")})
    assert check(tree) == [f"{DIST_INFO}/WHEEL:3: tag py3-none-any, but pkg/fast.so is compiled"]


def test_an_invented_name(make_wheel: Make) -> None:
    tree = make_wheel({"pkg/b.py": "import torch\ntorch.hpu.empty_cache()\n"})
    (line,) = check(tree)
    assert line.startswith("pkg/b.py:2: torch.hpu.empty_cache does not exist in release")


def test_a_numbered_card(make_wheel: Make) -> None:
    tree = make_wheel({"pkg/b.py": "x.to(f'hpu:{rank}')\n"})
    assert check(tree) == ["pkg/b.py:1: f'hpu:{rank}' names a card by number"]


def test_an_inverted_guard(make_wheel: Make, remaining: Make, finding: Make) -> None:
    """Reported, it is accounted for, and still wrong."""
    source = "import torch\nif torch.hpu.is_available():\n    import pkg.c_ops as ops\n"
    left = remaining(finding("pkg/b.py", 3, 5, 28), native_modules=["pkg.c_ops"])
    tree = make_wheel({**CLEAN, "pkg/b.py": source}, remaining=left)
    (line,) = check(tree)
    assert line.startswith("pkg/b.py:3: inverted guard: the branch for HPU imports pkg.c_ops")


def test_a_file_that_does_not_compile(make_wheel: Make) -> None:
    tree = make_wheel({**CLEAN, "pkg/b.py": "x = (\n", "pkg/c.py": "<<<<<<< a\n"})
    assert check(tree) == [
        "pkg/b.py:1: does not compile: '(' was never closed",
        "pkg/c.py:1: a conflict marker",
    ]


def test_requirements(make_wheel: Make) -> None:
    requires = ["torch", "cupy-cuda12x", "nixl; extra == 'nixl'"]
    outcome = static.check(make_wheel(CLEAN, requires=requires))
    assert failures(outcome) == [
        f"{DIST_INFO}/METADATA:5: requires cupy-cuda12x (arrays in GPU memory)"
    ]
    (note,) = outcome.notes
    assert note.startswith(f"{DIST_INFO}/METADATA: requires nixl")
    assert note.endswith("behind an extra")


def test_a_stale_record(make_wheel: Make) -> None:
    tree = make_wheel(CLEAN)
    (tree.root / "pkg/new.py").write_text("")
    assert check(tree) == [f"{DIST_INFO}/RECORD:1: pkg/new.py is not listed"]


def test_metadata_that_is_missing(make_wheel: Make) -> None:
    tree = make_wheel({**CLEAN, f"{DIST_INFO}/entry_points.txt": ""})
    for name in ("METADATA", "RECORD", "WHEEL"):
        (tree.root / DIST_INFO / name).unlink()
    assert [line.rpartition(" ")[2] for line in check(tree)] == ["METADATA", "RECORD", "file"]


def test_a_plain_folder(make_tree: Make) -> None:
    outcome = static.check(make_tree(CLEAN))
    assert outcome.status is Status.PASSED
    assert outcome.notes == ("no .dist-info folder: requirements, RECORD and tags not checked",)


def test_a_wheel_without_metadata_is_bad_input(make_tree: Make) -> None:
    tree = replace(make_tree(CLEAN), kind=Kind.WHEEL, label="pkg.whl")
    with pytest.raises(PorterError, match=r"pkg\.whl: no \.dist-info folder"):
        static.check(tree)


def test_nothing_to_check_is_bad_input(make_tree: Make) -> None:
    with pytest.raises(PorterError, match="no Python file"):
        static.check(make_tree({"README.md": ""}))


def test_two_distributions_are_bad_input(make_tree: Make) -> None:
    files = {"a-1.dist-info/METADATA": "", "b-1.dist-info/METADATA": "", **CLEAN}
    with pytest.raises(PorterError, match=r"a-1\.dist-info and b-1\.dist-info"):
        static.check(make_tree(files))


def test_nothing_is_written(make_wheel: Make) -> None:
    tree = make_wheel(CLEAN)
    before = sorted(Path(tree.root).rglob("*"))
    static.check(tree)
    assert sorted(Path(tree.root).rglob("*")) == before


def test_progress_counts_files(make_tree: Make) -> None:
    seen: list[tuple[int, int]] = []
    static.check(make_tree(CLEAN), lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]


def test_no_warning_of_the_source_leaks(make_tree: Make, recwarn: pytest.WarningsRecorder) -> None:
    static.check(make_tree({"a.py": r"x = '\d'; y = 'hpu'"}))
    assert not recwarn.list
