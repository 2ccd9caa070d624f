from __future__ import annotations

from porter.plan.config import known_models
from porter.plan.families import find_family


def test_every_known_model_has_a_family():
    assert [m.name for m in known_models() if not find_family(m.config["model_type"]).known] == []


def test_an_unknown_one_is_a_plain_decoder():
    family = find_family("no-such-type")
    assert not family.known
    assert (family.norms, family.gated, family.qkv_bias) == (2, True, False)


def test_what_a_row_says():
    family = find_family("gpt_bigcode")
    assert family.known
    assert family.names["n_embd"] == "hidden_size"
    assert not family.gated
