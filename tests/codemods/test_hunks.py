"""What a reviewer may refuse alone, and that the rest is then applied as it was."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection

import pytest

from porter.findings import FileResult, Finding, apply_edits
from porter.selection import Choice, Decided, Rest, Selection
from porter.table import Table

Analyse = Callable[..., FileResult]

GUARD = """\
import torch
def device(rank):
    if torch.cuda.is_available():
        torch.cuda.set_device(rank)
        return torch.device(f"cuda:{rank}")
    return torch.device("cpu")
def wait():
    torch.cuda.synchronize()
"""
GUARDED_CALL = """\
import torch
def fill(x):
    return x.cuda()
def main(x):
    if torch.cuda.is_available():
        fill(x)
    torch.cuda.synchronize()
"""
ALIAS = """\
import torch
from torch import cuda
stream = cuda.Stream()
cuda.synchronize()
x = torch.empty(1, device="cuda")
"""
NESTED = """\
import torch
x = torch.zeros(1).cuda(device=torch.cuda.current_device())
y = torch.zeros(1, device="cuda")
"""
ASSIGNED = """\
import torch
Stream = torch.cuda.Stream
a = Stream()
b = torch.cuda.Event()
"""
LIBRARY = """\
import torch
import pkg.ops as ops
if torch.cuda.is_available():
    ops.run()
torch.cuda.synchronize()
"""
EMPTIED = """\
import torch
def tidy():
    torch.cuda.empty_cache()
    torch.cuda.empty_cache()
def wait():
    torch.cuda.synchronize()
"""
FROM_IMPORT = """\
from torch.cuda import Event, synchronize
done = Event()
synchronize()
x = y.cuda()
"""
CARRIED = """\
import torch
x = torch.zeros(1).cuda(0, torch.cuda.device_count())
y = torch.zeros(1, device="cuda")
"""
ASSERTED = """\
import torch
def check(x, y):
    assert x.is_cuda or y.is_cuda, "one must be on CUDA"
torch.cuda.synchronize()
"""
WAITING = LIBRARY.replace("run()", "wait()")
SAMPLES = {
    "a guard and what it guards": (GUARD, 2),
    "a guard and the function it calls": (GUARDED_CALL, 2),
    "an import and its uses": (ALIAS, 2),
    "an edit that does away with another": (NESTED, 2),
    "an edit that carries another": (CARRIED, 2),
    "tests with one message": (ASSERTED, 2),
    "a guard and the import of an operation that waits": (WAITING, 2),
    "an alias and its uses": (ASSIGNED, 2),
    "a guard and the routed import": (LIBRARY, 2),
    "statements that empty a block": (EMPTIED, 2),
    "names of one import": (FROM_IMPORT, 2),
}


def selection(
    refused: Collection[str], seen: Collection[str], rest: Rest = Rest.APPLY
) -> Selection:
    decisions = {
        hunk: Decided(Choice.REFUSED if hunk in refused else Choice.UNDECIDED) for hunk in seen
    }
    return Selection(decisions, rest, Table({}, "options"))


def changed(result: FileResult) -> list[Finding]:
    return [finding for finding in result.findings if finding.after is not None]


def hunks(result: FileResult) -> list[str]:
    return list(dict.fromkeys(finding.hunk for finding in changed(result)))


def options(code: str) -> dict[str, object]:
    if "pkg.ops" not in code:
        return {"add_imports": True}
    return {"native": ("pkg.ops",), "routes": {"pkg.ops": "pkg.hpu.ops"},
            "implemented": frozenset({"pkg.hpu.ops.run"}), "add_imports": True}  # fmt: skip


@pytest.mark.parametrize(("code", "count"), SAMPLES.values(), ids=SAMPLES)
def test_what_depends_on_each_other_is_one_hunk(analyse: Analyse, code: str, count: int) -> None:
    assert len(hunks(analyse(code, hunks=True, **options(code)))) == count


@pytest.mark.parametrize(("code", "count"), SAMPLES.values(), ids=SAMPLES)
def test_one_refused_hunk_leaves_exactly_the_others(
    analyse: Analyse, code: str, count: int
) -> None:
    whole = analyse(code, hunks=True, **options(code))
    for hunk in hunks(whole):
        chosen = selection({hunk}, hunks(whole))
        result = analyse(code, selection=chosen, **options(code))
        others = [finding for finding in changed(whole) if finding.hunk != hunk]
        assert [(item.line, item.edits) for item in changed(result)] == [
            (item.line, item.edits) for item in others
        ]
        assert result.withheld == (hunk,)
        assert result.constructs == sum(finding.constructs for finding in result.findings)
        ast.parse(apply_edits(code, result.edits))


@pytest.mark.parametrize(("code", "count"), SAMPLES.values(), ids=SAMPLES)
def test_all_refused_leaves_the_file(analyse: Analyse, code: str, count: int) -> None:
    every = hunks(analyse(code, hunks=True, **options(code)))
    result = analyse(code, selection=selection(every, every), **options(code))
    assert result.edits == ()
    assert {finding.status.value for finding in result.findings} == {"reported"}


def test_a_refused_finding_says_so(analyse: Analyse) -> None:
    every = hunks(analyse(GUARD, hunks=True))
    result = analyse(GUARD, selection=selection(every[:1], every))
    messages = [item.message for item in result.findings if item.hunk == every[0]]
    assert len(messages) == 3
    assert all(message.startswith("withheld by the review: ") for message in messages)


def test_the_import_of_the_bridge_comes_with_the_first_hunk_that_needs_it(analyse: Analyse) -> None:
    every = hunks(analyse(GUARD, hunks=True))
    both = apply_edits(GUARD, analyse(GUARD, add_imports=True).edits)
    one = analyse(GUARD, selection=selection(every[:1], every), add_imports=True)
    none = analyse(GUARD, selection=selection(every, every), add_imports=True)
    assert both.count("habana_frameworks") == 1
    assert apply_edits(GUARD, one.edits).count("habana_frameworks") == 1
    assert apply_edits(GUARD, none.edits) == GUARD


def test_a_hunk_that_was_not_reviewed_stays(analyse: Analyse) -> None:
    first, second = hunks(analyse(GUARD, hunks=True))
    assert analyse(GUARD, selection=selection((), {first})).withheld == (second,)
    assert analyse(GUARD, selection=selection((), ())).edits == ()


def test_undecided_hunks_stay_where_the_reviewer_said_so(analyse: Analyse) -> None:
    every = hunks(analyse(GUARD, hunks=True))
    assert analyse(GUARD, selection=selection((), every, Rest.LEAVE)).edits == ()


def test_an_id_outlives_other_lines_and_not_a_change_of_its_own(analyse: Analyse) -> None:
    _, wait = hunks(analyse(GUARD, hunks=True))
    moved = analyse(f'"""Moved down."""\n\nimport os\n{GUARD}', hunks=True)
    assert hunks(moved)[1] == wait
    beside = GUARD.replace("def wait():\n", "def wait():\n    prepare()\n")
    assert wait not in hunks(analyse(beside, hunks=True))
    assert wait not in hunks(analyse(GUARD, hunks=True, path="pkg/other.py"))


def test_hunks_that_are_alike_are_told_apart_and_counted(analyse: Analyse) -> None:
    block = "\n\n\ndef f():\n    torch.cuda.synchronize()\n\n\n\n"
    two = hunks(analyse(f"import torch\n{block * 2}", hunks=True))
    three = hunks(analyse(f"import torch\n{block * 3}", hunks=True))
    assert len(set(two)) == 2
    assert len(set(three)) == 3
    assert not set(two) & set(three)


def test_a_scan_is_not_burdened_with_hunks(analyse: Analyse) -> None:
    assert {finding.hunk for finding in analyse(GUARD).findings} == {""}


def test_reported_places_have_ids_too(analyse: Analyse) -> None:
    for code, path in (
        ("import cupy\nx = cupy.zeros(1)\n", "m.py"),
        ("ENV NVIDIA_VISIBLE_DEVICES=all\n", "Dockerfile"),
        ("import torch.cuda\ndef (:\n", "broken.py"),
    ):
        findings = analyse(code, path=path, hunks=True).findings
        assert findings
        assert len({finding.hunk for finding in findings} - {""}) == len(findings)
