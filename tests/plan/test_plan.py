from __future__ import annotations

import pytest

from porter.errors import PorterError
from porter.plan.config import find_model
from porter.plan.fit import Want
from porter.plan.plan import plan_of


def says(plan) -> str:
    return "\n".join(plan.notes)


def test_the_guides_example(plan):
    guide = plan("Llama-3.1-70B", 131_072, 4)
    assert guide.kv_cache_bytes == 160 * 2**30
    assert guide.weight_bytes == 2 * 70_553_706_496
    assert guide.fits
    assert guide.chosen.cards == 4
    assert guide.notes == ()


def test_windows_are_kept_whole_on_gaudi(plan):
    gemma = plan("gemma-3-27b-it", 131_072)
    assert gemma.plugin_bytes > 3 * gemma.kv_cache_bytes
    assert gemma.options[0].fit.cache == gemma.plugin_bytes
    assert "keeps all tokens of sliding window" in says(gemma)


def test_one_number_of_cards(plan):
    one = plan("Llama-3.1-70B", 4096, cards=1)
    assert [option.fit.cards for option in one.options] == [1]
    assert not one.fits
    assert one.start.cards == 1


def test_what_does_not_divide(plan):
    assert plan("falcon-7b", 2048).undivided == (2, 4, 8, 16, 32)
    assert "do not divide over 2, 4, 8, 16, 32 cards" in says(plan("falcon-7b", 2048))
    nowhere = plan("falcon-7b", 2048, cards=2)
    assert (nowhere.options, nowhere.args, nowhere.transfer) == ((), {}, None)


@pytest.mark.parametrize(
    ("name", "context", "more", "note"),
    [
        ("Llama-3.1-8B", 262_144, {}, "made for 131,072 tokens"),
        ("Llama-3.1-8B", 128, {}, "whole chunks of 256 tokens"),
        ("Llama-3.1-8B", 4096, {"number": 1}, "QUANT_CONFIG"),
        ("Llama-3.1-8B", 4096, {"cards": 16}, "8 KV heads on 16 cards: each is on 2"),
        ("Llama-3.1-8B", 4096, {"cards": 16}, "More than one node"),
        ("DeepSeek-V3", 4096, {}, "MLA keeps the same on every card"),
        ("Jamba-v0.1", 4096, {}, "LMCache is refused"),
    ],
)
def test_notes(plan, name, context, more, note):
    assert note in says(plan(name, context, **more))


def test_an_unknown_type_and_quantization_are_said(folder):
    place = folder(model_type="brand_new", quantization_config={"quant_method": "bitsandbytes"})
    notes = says(plan_of(find_model(str(place)), Want(1024, 1), card="gaudi2"))
    assert "porter does not know brand_new" in notes
    assert "does not take the quantization bitsandbytes" in notes


def test_weights_that_are_not_counted_are_said(folder):
    place = folder(vision_config={"hidden_size": 9})
    notes = says(plan_of(find_model(str(place)), Want(1024, 1), card="gaudi2"))
    assert "vision tower, are not in the sum" in notes


def test_weights_that_cannot_be_computed(folder):
    place = folder(model_type="gemma3n_text")
    with pytest.raises(PorterError, match=r"model\.safetensors\.index\.json"):
        plan_of(find_model(str(place)), Want(1024, 1), card="gaudi3")
    (place / "model.safetensors.index.json").write_text('{"metadata": {"total_size": 5000}}')
    assert plan_of(find_model(str(place)), Want(1024, 1), card="gaudi3").weight_bytes == 5000
