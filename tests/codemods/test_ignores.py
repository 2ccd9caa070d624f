from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from porter.findings import FileResult, apply_edits
from porter.rulebook import default_rulebook

Analyse = Callable[..., FileResult]


def rules(result: FileResult) -> list[str]:
    return [finding.rule for finding in result.findings]


def ignored(result: FileResult) -> list[str]:
    return [item.finding.rule for item in result.ignored]


def test_what_is_ignored_is_neither_edited_nor_unaccounted(analyse: Analyse) -> None:
    code = (
        "import torch\nx.cuda()  # porter: ignore[HPU201] a checkpoint\ntorch.cuda.synchronize()\n"
    )
    result = analyse(code)
    after = apply_edits(code, result.edits)
    assert after == code.replace("torch.cuda.synchronize", "torch.hpu.synchronize")
    assert (ignored(result), result.constructs, result.unaccounted) == (["HPU201"], 1, 0)
    assert "HPU201" not in rules(result)
    assert result.ignored[0].reason == "a checkpoint"


@pytest.mark.parametrize(
    "code",
    [
        "x.cuda()  # porter: ignore[HPU201]\n",
        "x.cuda()  # porter:ignore[ hpu201 ]\n",
        "x.cuda()  # noqa: E501  # porter: ignore[HPU201] - why not\n",
        "x.cuda()  # porter: ignore[HPU3,HPU2] a beginning\nt = torch.cuda.Stream()  "
        "# porter: ignore[HPU3]\n",
        "# porter: ignore[HPU201] of the next line\n\n# with a remark between\nx.cuda()\n",
        "y = f(\n    x.cuda(\n        0,\n    ),  # porter: ignore[HPU201] it ends here\n)\n",
        "y = x.cuda(\n    # porter: ignore[HPU201] inside\n    non_blocking=True,\n)\n",
        "# porter: ignore-file[HPU201, HPU3] only for CUDA\nx.cuda()\ntorch.cuda.synchronize()\n",
        "é = 'é'; x.cuda()  # porter: ignore[HPU201] é\n",
        "x.cuda()  # porter: ignore[HPU201]\r\ny = 1\r\n",
        "x.cuda()  # porter: ignore[HPU201]\ry = 1\r",
        "x = '\x0c'\x0c\nx.cuda()  # porter: ignore[HPU201]",
    ],
)
def test_where_a_comment_may_stand(analyse: Analyse, code: str) -> None:
    result = analyse(f"import torch\n{code}")
    assert "HPU201" in ignored(result)
    assert "HPU201" not in rules(result)
    assert result.edits == ()


@pytest.mark.parametrize(
    ("code", "detail"),
    [
        ("y = 1  # porter: ignore[HPU201] moved\n", "nothing of HPU201 is found on its line"),
        ("x.cuda()\n# porter: ignore[HPU201]\n", "nothing of HPU201 is found on its line"),
        ("x.cuda()  # porter: ignore[HPU999, HPU201]\n", "HPU999 is no rule"),
        ("x.cuda()  # porter: ignore[]\n", "it names no rule"),
        ("# porter: ignore-file[HPU301]\nx.cuda()\n", "nothing of HPU301 is found in this file"),
        ("def f(:\n    pass  # porter: ignore[HPU201]\n", "nothing of HPU201"),
    ],
)
def test_a_comment_in_vain_is_a_finding_at_its_place(
    analyse: Analyse, code: str, detail: str
) -> None:
    result = analyse(code)
    (idle,) = [finding for finding in result.findings if finding.rule == "HPU005"]
    assert detail in idle.message
    lines = re.split("\r\n|\r|\n", code)
    assert lines[idle.line - 1][idle.column - 1 : idle.end_column - 1] == idle.before
    assert idle.before.startswith("# porter: ignore")
    assert result.unaccounted == 0


@pytest.mark.parametrize(
    "code",
    [
        'x.cuda("# porter: ignore[HPU201]")\n',
        '"""# porter: ignore[HPU201]"""\nx.cuda()\n',
        "x.cuda()  # see reporter: ignore[HPU201]\n",
        "x.cuda()  # porter: ignored[HPU201]\n",
    ],
)
def test_what_is_no_such_comment(analyse: Analyse, code: str) -> None:
    assert rules(analyse(code)) == ["HPU201"]


def test_a_guard_stays_shut_around_what_is_ignored(analyse: Analyse) -> None:
    code = (
        "import torch\nif torch.cuda.is_available():\n"
        "    torch.cuda.synchronize()  # porter: ignore[HPU3] of a tool for CUDA\n"
    )
    result = analyse(code)
    assert (rules(result), result.edits) == (["HPU010"], ())


def test_an_alias_stays_where_a_use_of_it_is_ignored(analyse: Analyse) -> None:
    code = (
        "import torch\nfrom torch import cuda\n"
        "cuda.synchronize()  # porter: ignore[HPU3]\ncuda.synchronize()\n"
    )
    after = apply_edits(code, analyse(code).edits)
    assert "from torch import cuda\ncuda.synchronize()  #" in after
    assert after.endswith("torch.hpu.synchronize()\n")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("run.sh", "export CUDA_VISIBLE_DEVICES=0  # porter: ignore[HPU8] the launcher's\n"),
        ("Dockerfile", "# porter: ignore[HPU8] the launcher's\nENV CUDA_VISIBLE_DEVICES=0\n"),
        ("setup.cfg", "; porter: ignore[HPU8]\nx = CUDA_VISIBLE_DEVICES\n"),
        ("x.json", '{\n// porter: ignore[HPU8]\n"env": {"CUDA_VISIBLE_DEVICES": "0"}}\n'),
        ("k.cu", "// porter: ignore-file[HPU] the other backend's\n__global__ void f() {}\n"),
        ("requirements.txt", "# porter: ignore-file[HPU8] of CI\ncupy-cuda12x\n"),
    ],
)
def test_files_that_are_no_python(analyse: Analyse, path: str, text: str) -> None:
    result = analyse(text, path=path)
    assert (rules(result), len(result.ignored), result.constructs) == ([], 1, 0)


def test_package_metadata_has_no_comments(analyse: Analyse) -> None:
    text = "Requires-Dist: cupy  # porter: ignore[HPU8]\n# porter: ignore-file[HPU8]\n"
    assert not analyse(text, path="x.dist-info/METADATA").ignored


def test_what_is_quoted_in_a_script_is_no_comment(analyse: Analyse) -> None:
    text = 'echo "# porter: ignore[HPU8]" $CUDA_VISIBLE_DEVICES\n'
    assert len(analyse(text, path="run.sh").findings) == 1


def test_a_port_reports_what_is_ignored_and_leaves_it(analyse: Analyse) -> None:
    result = analyse("x.cuda()  # porter: ignore[HPU201]\n", report_ignored=True)
    assert (rules(result), result.ignored, result.edits) == (["HPU201"], (), ())


@pytest.mark.parametrize("rule", default_rulebook(), ids=lambda rule: rule.id)
def test_every_rule_can_be_ignored(analyse: Analyse, rule: object) -> None:
    """With the whole of an example ignored nothing of it is edited."""
    for example in rule.invalid:  # type: ignore[attr-defined]
        options = {"routes": example.routes, "implemented": frozenset(example.implemented)}
        options["cuda_only"] = example.cuda_only
        code = f"# porter: ignore-file[HPU] all of it\n{example.code}"
        result = analyse(code, path=example.path, native=example.native, **options)
        assert result.edits == ()
        assert {*rules(result)} <= {"HPU005"}
        assert result.unaccounted == 0
