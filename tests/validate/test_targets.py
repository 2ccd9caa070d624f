from __future__ import annotations

import ast
from pathlib import Path

import pytest

from porter.errors import PorterError
from porter.resources import rules_folder
from porter.validate.reading import Reading
from porter.validate.rung import Failure
from porter.validate.targets import HpuNames, invented, may_have_hpu, numbered_cards
from porter.validate.walk import read_module

NAMES = HpuNames(
    "1.0",
    {
        "torch.hpu": "module",
        "torch.hpu.synchronize": "()",
        "torch.hpu.Stream": "()",
        "torch.hpu.Stream.wait_stream": "(stream)",
        "torch.hpu.Event": "()",
        "habana_frameworks.torch.core.mark_step": "()",
    },
)


def read(source: str) -> Reading:
    return read_module(ast.parse(source), source, "pkg/a.py")


def names_of(failures: list[Failure]) -> list[tuple[int, str]]:
    return [(failure.line, failure.what.split()[0]) for failure in failures]


@pytest.mark.parametrize(
    "source",
    [
        "import torch\ntorch.hpu.synchronize()",
        "import torch\nx = torch.hpu",
        "import torch as t\nt.hpu.Stream().query()",
        "from torch import hpu\nhpu.Stream.wait_stream",
        "from torch.hpu import Stream as S\nS()",
        "from torch.hpu import *",
        "import habana_frameworks.torch.core as htcore\nhtcore.mark_step()",
        "import habana_frameworks.torch as ht\nht.core.mark_step()",
        "from habana_frameworks.torch import core",
        "import torch\ntorch.hpu.__name__",
        "hpu = read()\nhpu.empty_cache()",
        "self.hpu.empty_cache()",
    ],
)
def test_real_names(source: str) -> None:
    assert list(invented(read(source), "a.py", NAMES)) == []


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("import torch\ntorch.hpu.empty_cache()", "torch.hpu.empty_cache"),
        ("import torch as t\nt.hpu.cudart().x()", "torch.hpu.cudart"),
        ("from torch import hpu\nhpu.nvtx.range_push('a')", "torch.hpu.nvtx.range_push"),
        ("import torch\ndev = torch.hpu\ndev.FloatTensr", "torch.hpu.FloatTensr"),
        ("import torch\ntorch.hpu.Stream.ptr", "torch.hpu.Stream.ptr"),
        (
            "import habana_frameworks.torch.core as htcore\nhtcore.hpu.Stream()",
            "habana_frameworks.torch.core.hpu.Stream",
        ),
        (
            "import torch\ndev = torch.cuda if cuda else torch.hpu\ndev.empty_cache()",
            "torch.hpu.empty_cache",
        ),
        ("from torch.hpu import CUDAGraph", "torch.hpu.CUDAGraph"),
        ("import habana_frameworks.torch.fast", "habana_frameworks.torch.fast"),
    ],
)
def test_invented_names(source: str, name: str) -> None:
    last = source.count("\n") + 1
    assert names_of(list(invented(read(source), "a.py", NAMES))) == [(last, name)]


def test_each_use_is_a_failure() -> None:
    source = "from torch.hpu import Graph\nGraph()\nGraph()"
    assert len(list(invented(read(source), "a.py", NAMES))) == 3


def test_a_class_without_listed_members_is_not_judged() -> None:
    assert NAMES.exists("torch.hpu.Event.record")
    assert not NAMES.exists("torch.hpu.Stream.record")
    assert not NAMES.exists("other")


def test_the_newest_table_decides(tmp_path: Path) -> None:
    for version, name in (("1.9", "old"), ("1.19", "new")):
        text = f'version = "{version}"\nlazy_only = []\n[names]\n"torch.hpu.{name}" = "()"\n'
        (tmp_path / f"{version}.toml").write_text(text)
    names = HpuNames.newest(tmp_path)
    assert names.version == "1.19"
    assert names.exists("torch.hpu.new")
    assert not names.exists("torch.hpu.old")


def test_no_table_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PorterError, match="no API table"):
        HpuNames.newest(tmp_path)


def test_the_table_of_porter() -> None:
    names = HpuNames.newest(rules_folder() / "api")
    assert names.exists("torch.hpu.synchronize")
    assert names.exists("torch.hpu.current_stream")
    assert names.exists("habana_frameworks.torch.core.mark_step")
    assert not names.exists("torch.hpu.empty_cache")
    assert not names.exists("torch.hpu.cudart")


@pytest.mark.parametrize(
    "literal",
    ["'hpu:1'", "f'hpu:{rank}'", "'hpu:' + str(rank)", "'hpu:%d' % rank", "'hpu:{}'.format(rank)"],
)
def test_another_card_is_refused(literal: str) -> None:
    (failure,) = numbered_cards(read(f"import torch\n\nx.to({literal})"), "a.py")
    assert failure.line == 3
    assert "names a card by number" in failure.what


@pytest.mark.parametrize(
    "literal",
    [
        "'hpu'",
        "'hpu:0'",
        "f'{kind}:{rank}'",
        "f'hpu:{rank} is ready'",
        "'cpu:gloo,hpu:hccl'",
        "'hpu:hccl'",
        "device.startswith('hpu:')",
        "b'hpu:1'",
    ],
)
def test_the_own_card_is_fine(literal: str) -> None:
    assert list(numbered_cards(read(f"x.to({literal})"), "a.py")) == []


def test_the_cheap_look() -> None:
    assert may_have_hpu("x.to('hpu:1')")
    assert may_have_hpu("import habana_frameworks")
    assert not may_have_hpu("x.to('cpu')")
