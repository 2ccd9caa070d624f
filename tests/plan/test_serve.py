from __future__ import annotations

import json

from yaml import safe_load as parse

from porter.plan.quantization import FP8, Quantization
from porter.plan.serve import yaml


def test_arguments(plan):
    args = plan("Llama-3.1-70B", 32_768, 8, cards=4).args
    transfer = args.pop("kv-transfer-config")
    assert args == {
        "model": "meta-llama/Llama-3.1-70B",
        "tensor-parallel-size": 4,
        "dtype": "bfloat16",
        "block-size": 128,
        "max-model-len": 32_768,
        "max-num-seqs": 8,
        "max-num-batched-tokens": 8192,
        "gpu-memory-utilization": 0.9,
        "enable-chunked-prefill": True,
        "enable-prefix-caching": True,
        "disable-hybrid-kv-cache-manager": True,
    }
    assert json.loads(transfer) == {
        "kv_connector": "LMCacheConnectorV1HPU",
        "kv_role": "kv_both",
    }


def test_fp8_in_the_cache_is_calibrated(plan):
    of = plan("Llama-3.1-8B", 4096, number=1)
    assert of.args["kv-cache-dtype"] == "fp8_inc"
    assert of.args["quantization"] == "inc"
    assert "QUANT_CONFIG" in of.environment


def test_a_checkpoint_keeps_its_own_quantization(plan):
    assert "quantization" not in plan("DeepSeek-V3", 4096, number=1).args
    assert "quantization" not in plan("Llama-3.1-8B", 4096, quantization=FP8).args
    assert plan("Llama-3.1-8B", 4096, quantization=Quantization("inc", 8)).args["quantization"]


def test_no_lmcache_for_states(plan):
    args = plan("Jamba-v0.1", 32_768).args
    assert args["no-enable-prefix-caching"] is True
    assert "kv-transfer-config" not in args
    assert "LMCACHE_CONFIG_FILE" not in plan("Jamba-v0.1", 32_768).environment


def test_variables(plan):
    short, long = plan("Llama-3.1-8B", 4096), plan("Llama-3.1-8B", 262_144)
    assert short.environment["VLLM_CONTIGUOUS_PA"] == "false"
    assert short.environment["PYTHONHASHSEED"] == "0"
    assert "VLLM_RPC_TIMEOUT" not in short.environment
    assert "VLLM_RPC_TIMEOUT" in long.environment
    assert long.environment["VLLM_ALLOW_LONG_MAX_MODEL_LEN"] == "1"
    assert "VLLM_ALLOW_LONG_MAX_MODEL_LEN" not in plan("Llama-3.1-8B", 131_072).environment


def test_more_than_a_node_is_rays(plan):
    assert plan("Llama-3.1-405B", 4096, cards=16).args["distributed-executor-backend"] == "ray"


def test_bucket_ranges(plan):
    ranges = plan("Llama-3.1-8B", 32_768, 4).buckets
    assert ranges["VLLM_PROMPT_QUERY_BUCKET_MAX"] == "8192"
    assert ranges["VLLM_DECODE_BLOCK_BUCKET_MAX"] == str(4 * 256)


def test_yaml():
    text = yaml({"a": True, "b": 0.9, "c": "x: y", "d": '{"e": 1}', "f": """'"\\"""})
    assert text.splitlines()[:4] == ["a: true", "b: 0.9", 'c: "x: y"', """d: '{"e": 1}'"""]
    assert parse(text)["f"] == """'"\\"""
