from __future__ import annotations

from collections import Counter

import pytest

from porter.errors import PorterError
from porter.plan.config import find_model, known_models
from porter.plan.layers import DeltaNet, Experts, Mamba1, Mamba2
from porter.plan.shape import shape_of


@pytest.mark.parametrize("model", known_models(), ids=lambda model: model.name)
def test_the_weights_are_as_many_as_the_models_page_says(model):
    if model.parameters is None or not shape_of(model).family.formula:
        assert shape_of(model).count().total > 0
    else:
        assert shape_of(model).count().total + model.other_parameters == model.parameters


def test_most_models_have_a_published_number():
    assert sum(model.parameters is not None for model in known_models()) >= 45


def kinds(name: str) -> Counter[str]:
    return Counter(mixer.kind for mixer in shape_of(find_model(name)).mixers)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Llama-3.1-70B", {"full": 80}),
        ("Mistral-7B-v0.1", {"sliding window": 32}),
        ("Mistral-7B-v0.3", {"full": 32}),
        ("Qwen2.5-7B", {"full": 28}),
        ("gemma-2-9b", {"full": 21, "sliding window": 21}),
        ("gemma-3-27b-it", {"full": 10, "sliding window": 52}),
        ("gemma-3n-E4B-it", {"full": 4, "sliding window": 16, "shared": 15}),
        ("gpt-oss-20b", {"full": 12, "sliding window": 12}),
        ("Llama-4-Scout-17B-16E", {"full": 12, "chunked": 36}),
        ("DeepSeek-V3", {"MLA": 61}),
        ("Jamba-v0.1", {"full": 4, "Mamba state": 28}),
        ("granite-4.0-h-small", {"full": 4, "Mamba state": 36}),
        ("Qwen3-Next-80B-A3B-Instruct", {"full": 12, "linear attention state": 36}),
        ("mamba-2.8b-hf", {"Mamba state": 64}),
    ],
)
def test_what_the_layers_are(name, expected):
    assert kinds(name) == expected


def test_which_layers_have_a_state_and_of_what_kind():
    jamba = shape_of(find_model("Jamba-v0.1")).mixers
    assert [i for i, mixer in enumerate(jamba) if not isinstance(mixer, Mamba1)] == [4, 12, 20, 28]
    assert isinstance(shape_of(find_model("granite-4.0-h-small")).states[0], Mamba2)
    assert isinstance(shape_of(find_model("Qwen3-Next-80B-A3B-Instruct")).states[0], DeltaNet)


def test_the_first_layers_of_deepseek_have_no_experts():
    layers = shape_of(find_model("DeepSeek-V3")).layers
    assert [isinstance(layer.mlp, Experts) for layer in layers[:4]] == [False, False, False, True]


def test_layers_that_share_a_cache_keep_none(small):
    shape = small(num_kv_shared_layers=1)
    assert [mixer.kind for mixer in shape.mixers] == ["full", "full", "full", "shared"]
    assert len(shape.attention) == 3


def test_a_list_of_inner_sizes(small):
    sizes = [layer.mlp.inner for layer in small(intermediate_size=[128, 256, 128, 64]).layers]
    assert sizes == [128, 256, 128, 64]
    with pytest.raises(PorterError, match="intermediate_size must have an entry for each layer"):
        small(intermediate_size=[128])


def test_a_config_without_a_head_dim_and_kv_heads(small):
    attention = small(num_key_value_heads="absent").attention[0]
    assert (attention.kv_heads, attention.head_dim) == (8, 8)


def test_an_unknown_type_is_a_plain_decoder(small):
    shape = small(model_type="brand_new")
    assert not shape.family.known
    assert shape.count() == small().count()


@pytest.mark.parametrize(
    "key",
    [
        "model_type",
        "hidden_size",
        "intermediate_size",
        "num_hidden_layers",
        "num_attention_heads",
        "vocab_size",
    ],
)
def test_a_key_that_is_missing_is_named_with_its_file(small, key):
    with pytest.raises(PorterError, match=rf"config\.json: add {key}"):
        small(**{key: "absent"})


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"hidden_size": "64"}, "hidden_size must be a number"),
        ({"hidden_size": 0}, "hidden_size must be above zero"),
        ({"num_hidden_layers": -1}, "num_hidden_layers must be above zero"),
        ({"num_key_value_heads": 3}, "must divide the 8 attention heads"),
        ({"num_attention_heads": 7, "num_key_value_heads": 7}, "add head_dim"),
        ({"layer_types": ["full_attention"]}, "layer_types must have 4 entries"),
        ({"layer_types": ["magic"] * 4}, "'magic' is not known"),
        ({"kv_lora_rank": 16}, "add qk_rope_head_dim"),
        ({"num_experts": 4}, "add num_experts_per_tok"),
        ({"model_type": "brand_new", "mamba_d_ssm": 4}, "mamba_d_ssm is no attention's"),
    ],
)
def test_a_config_that_makes_no_sense(small, keys, says):
    with pytest.raises(PorterError, match=says):
        small(**keys)


def test_which_models_have_windows():
    assert shape_of(find_model("gemma-3-27b-it")).windowed
    assert shape_of(find_model("Llama-4-Scout-17B-16E")).windowed
    assert not shape_of(find_model("Llama-3.1-8B")).windowed
