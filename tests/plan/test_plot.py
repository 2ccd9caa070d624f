from __future__ import annotations

import sys
from xml.etree import ElementTree

import pytest

from porter.errors import PorterError
from porter.plan.plot import draw


@pytest.fixture
def matplotlib():
    """An extra, which the other tests do without."""
    return pytest.importorskip("matplotlib")


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("Llama-3.1-70B", {"weights", "KV cache on Gaudi", "weights and KV cache", "8 cards"}),
        ("gemma-3-27b-it", {"KV cache on Gaudi", "KV cache in vLLM"}),
    ],
)
def test_an_svg_with_all_that_is_to_be_seen(matplotlib, plan, tmp_path, name, labels):
    file = tmp_path / "memory.svg"
    with matplotlib.rc_context({"svg.fonttype": "none"}):
        draw(plan(name, 131_072, 4), file)
    texts = {"".join(node.itertext()).strip() for node in ElementTree.parse(file).iter()}
    assert labels <= texts
    assert ("KV cache in vLLM" in texts) is (name == "gemma-3-27b-it")


def test_a_png(matplotlib, plan, tmp_path):
    draw(plan("Llama-3.1-8B", 4096), tmp_path / "memory.png")
    assert (tmp_path / "memory.png").read_bytes().startswith(b"\x89PNG")


def test_another_suffix(plan, tmp_path):
    with pytest.raises(PorterError, match=r"ends in \.svg, \.png, \.pdf"):
        draw(plan("Llama-3.1-8B", 4096), tmp_path / "memory.txt")


def test_without_matplotlib(plan, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(PorterError, match=r"pip install 'porter\[plot\]'"):
        draw(plan("Llama-3.1-8B", 4096), tmp_path / "memory.svg")
    assert not (tmp_path / "memory.svg").exists()
