"""One module: accounting, nested edits, options."""

import pytest

from porter.findings import Status, apply_edits


def test_every_construct_is_a_finding(analyse):
    code = """
import torch
x = torch.zeros(3, device=f"cuda:{torch.cuda.current_device()}").cuda()
torch.cuda.synchronize()
torch.cuda.memory_snapshot()
"""
    result = analyse(code)
    assert result.constructs == 5
    assert result.unaccounted == 0
    assert sum(finding.constructs for finding in result.findings) == 5


def test_an_edit_that_swallows_a_construct_counts_it(analyse):
    result = analyse("import torch\nd = torch.device(f'cuda:{torch.cuda.current_device()}')\n")
    (finding,) = result.findings
    assert (finding.rule, finding.constructs) == ("HPU211", 2)
    assert finding.after == "'hpu'"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x.cuda(non_blocking=y.is_cuda)", 'x.to("hpu", non_blocking=y.device.type == "hpu")'),
        ("x.cuda().is_cuda", 'x.to("hpu").device.type == "hpu"'),
        ("f(x.cuda()).cuda(0)", 'f(x.to("hpu")).to("hpu")'),
        ("f'{x.cuda()}'", "f'{x.to(\"hpu\")}'"),
        ('f"{x.cuda()}"', "f\"{x.to('hpu')}\""),
        ("x.cuda(torch.cuda.current_device())", 'x.to("hpu")'),
    ],
)
def test_edits_nest(rewrite, before, after):
    assert rewrite(f"import torch\n{before}\n") == f"import torch\n{after}\n"


def test_a_finding_shows_its_own_span_with_everything_in_it(analyse):
    result = analyse("y = f(x.cuda(), device='cuda').cuda()\n")
    outer = max(result.findings, key=lambda finding: len(finding.before))
    assert outer.before == "f(x.cuda(), device='cuda').cuda()"
    assert outer.after == 'f(x.to("hpu"), device=\'hpu\').to("hpu")'
    assert (outer.line, outer.column, outer.end_column) == (1, 5, 38)


def test_select_and_ignore_leave_the_rest_reported(analyse, rewrite):
    code = "import torch\nx = x.cuda()\ntorch.cuda.synchronize()\n"
    assert rewrite(code, select=("HPU2",)) == (
        'import torch\nx = x.to("hpu")\ntorch.cuda.synchronize()\n'
    )
    result = analyse(code, ignore=("HPU2",))
    assert [finding.status for finding in result.findings] == [Status.REPORTED, Status.FIXABLE]


def test_a_module_without_cuda_has_no_edit(analyse):
    result = analyse("import torch\nx = torch.zeros(3)\n", add_imports=True)
    assert result.findings == () and result.edits == () and result.constructs == 0


def test_left_alone_modules_are_reported(analyse):
    result = analyse("import torch\ntorch.cuda.synchronize()\n", cuda_only=("pkg/*.py",))
    assert [finding.rule for finding in result.findings] == ["HPU013"]
    assert result.edits == ()


def test_a_removed_statement_has_nothing_after(analyse):
    (finding,) = analyse("import torch\nx = 1\ntorch.cuda.empty_cache()\n").findings
    assert finding.after == ""


def test_parentheses_and_comments_behind_not(rewrite):
    code = "a = not (x.is_cuda)\nb = not(x.is_cuda)\nc = (not  # why\n     x.is_cuda)\n"
    assert rewrite(code) == code.replace("x.is_cuda", 'x.device.type == "hpu"')


@pytest.mark.parametrize("code", ["f\"{f'{x.cuda()}'}\"\n", "if not(x.is_cuda):\n    pass\n"])
def test_whatever_comes_out_parses(analyse, code):
    result = analyse(code)
    compile(apply_edits(code, result.edits), "m.py", "exec")
    assert result.unaccounted == 0


def test_a_message_follows_its_tests_once(rewrite):
    code = 'assert x.is_cuda or y.is_cuda, "on CUDA"\n'
    after = 'assert x.device.type == "hpu" or y.device.type == "hpu", "on HPU"\n'
    assert rewrite(code) == after
