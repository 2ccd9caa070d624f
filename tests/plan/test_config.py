from __future__ import annotations

import json

import pytest

from porter.errors import PorterError
from porter.plan.config import find_model, known_models


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("meta-llama/Llama-3.1-70B", "meta-llama/Llama-3.1-70B"),
        ("meta-llama/Llama-3.1-70B-Instruct", "meta-llama/Llama-3.1-70B-Instruct"),
        ("Llama-3.1-70B", "meta-llama/Llama-3.1-70B"),
        ("META-LLAMA/llama-3.1-70b", "meta-llama/Llama-3.1-70B"),
        ("DeepSeek-R1-Distill-Llama-70B", "deepseek-ai/DeepSeek-R1-Distill-Llama-70B"),
    ],
)
def test_a_model_is_found_by_each_of_its_names_and_keeps_it(name, full):
    assert find_model(name).name == full
    assert find_model(name).config == find_model("meta-llama/Llama-3.1-70B").config


def test_names_are_given_once():
    names = [model.name for model in known_models()]
    assert len(names) == len(set(names)) >= 50


def test_a_folder_and_its_config_are_the_same_model(folder):
    place = folder()
    assert find_model(str(place)).config == find_model(str(place / "config.json")).config


def test_a_checkpoint_says_how_large_it_is(folder):
    place = folder()
    index = {"metadata": {"total_size": 123_456}, "weight_map": {}}
    (place / "model.safetensors.index.json").write_text(json.dumps(index))
    assert find_model(str(place)).checkpoint_bytes == 123_456


def test_the_language_model_of_a_multimodal_one(folder):
    place = folder()
    (place / "config.json").write_text(
        json.dumps(
            {
                "model_type": "gemma3",
                "tie_word_embeddings": True,
                "text_config": {"model_type": "gemma3_text", "hidden_size": 8},
                "vision_config": {"hidden_size": 9},
            }
        )
    )
    model = find_model(str(place))
    assert model.config == {
        "model_type": "gemma3_text",
        "hidden_size": 8,
        "tie_word_embeddings": True,
    }
    assert model.has_more


def test_a_default_is_for_a_key_that_is_left_out_and_not_for_null(folder):
    defaults = {"sliding_window": 4096}
    absent = find_model(str(folder())).table({}, defaults)
    null = find_model(str(folder(sliding_window=None))).table({}, defaults)
    assert absent.number("sliding_window") == 4096
    assert not null.has("sliding_window")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("meta-llama/Llama-3.1-71B", "did you mean meta-llama/Llama-3.1-70B"),
        ("lama-3.1-70b", "Llama-3.1-70B"),
        ("zzz", "porter plan --list"),
        ("./nothing", "there is no such file"),
        ("nothing.json", "there is no such file"),
    ],
)
def test_what_is_not_there(name, says):
    with pytest.raises(PorterError, match=says) as error:
        find_model(name)
    assert str(error.value).startswith(f"{name}: ")


@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 100_000])
def test_a_config_that_cannot_be_read(folder, text):
    place = folder()
    (place / "config.json").write_text(text)
    with pytest.raises(PorterError, match=r"config\.json"):
        find_model(str(place))


def test_a_folder_without_config(tmp_path):
    with pytest.raises(PorterError, match=r"has no config\.json"):
        find_model(str(tmp_path))
