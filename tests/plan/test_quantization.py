from __future__ import annotations

import pytest

from porter.errors import PorterError
from porter.plan.config import find_model
from porter.plan.layers import Count
from porter.plan.quantization import FP8, NONE, Quantization, quantization_of
from porter.plan.shape import shape_of

COUNT = Count(experts=1000, linear=100, plain=10)


def test_what_is_quantized():
    assert NONE.bytes(COUNT) == 2 * 1110
    assert FP8.bytes(COUNT) == 1100 + 2 * 10
    assert Quantization("mxfp4", 4.25, experts_only=True).bytes(COUNT) == 532 + 2 * 110


@pytest.mark.parametrize(
    ("config", "name", "bits"),
    [
        ({"quant_method": "fp8", "weight_block_size": [128, 128]}, "fp8", 8 + 32 / 128**2),
        ({"quant_method": "fp8"}, "fp8", 8),
        ({"quant_method": "awq", "bits": 4, "group_size": 128}, "awq", 4 + 20 / 128),
        ({"quant_method": "awq", "w_bit": 4, "q_group_size": 64}, "awq", 4 + 20 / 64),
        ({"quant_method": "gptq", "bits": 8, "group_size": -1}, "gptq", 8),
        ({"quant_method": "mxfp4"}, "mxfp4", 4.25),
        (
            {
                "quant_method": "compressed-tensors",
                "config_groups": {"group_0": {"weights": {"num_bits": 8}}},
            },
            "compressed-tensors",
            8,
        ),
        ({"quant_method": "bitsandbytes"}, "bitsandbytes", 16),
    ],
)
def test_what_a_config_says(small, config, name, bits):
    quantization = quantization_of(small(quantization_config=config))
    assert (quantization.name, quantization.bits) == (name, bits)


def test_what_the_plugin_does_not_take(small):
    config = {"quant_method": "bitsandbytes"}
    assert not quantization_of(small(quantization_config=config)).supported
    assert NONE.supported


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({}, "quantization_config: add quant_method"),
        ({"quant_method": "awq", "group_size": 128}, "quantization_config: add w_bit"),
        ({"quant_method": "gptq", "bits": 4}, "quantization_config: add q_group_size"),
        ({"quant_method": "compressed-tensors"}, "config_groups has no group"),
        ({"quant_method": "fp8", "weight_block_size": [0, 128]}, "must be above zero"),
    ],
)
def test_what_is_incomplete(small, config, says):
    with pytest.raises(PorterError, match=says):
        quantization_of(small(quantization_config=config))


@pytest.mark.parametrize(
    ("name", "gigabytes"),
    # The safetensors files of these checkpoints together.
    [("gpt-oss-20b", 13.76), ("gpt-oss-120b", 65.25)],
)
def test_quantized_checkpoints_are_as_large_as_they_are(name, gigabytes):
    shape = shape_of(find_model(name))
    assert quantization_of(shape).bytes(shape.count()) / 1e9 == pytest.approx(gigabytes, rel=0.005)
