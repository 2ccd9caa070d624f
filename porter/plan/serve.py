"""The arguments and variables to start vLLM with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import floor

from porter.plan.cache import BLOCK
from porter.plan.cards import CARDS_PER_NODE
from porter.plan.fit import Fit, Plant, Want

#: As docs/lmcache.md has it.
CONNECTOR = {"kv_connector": "LMCacheConnectorV1HPU", "kv_role": "kv_both"}
#: Tokens. The plugin's page on long contexts sets time-outs from here on.
_LONG = 32_768

Value = bool | int | float | str


def vllm_args(plant: Plant, want: Want, fit: Fit) -> dict[str, Value]:
    """Options of ``vllm serve`` without their dashes, in the order of its help."""
    shape = plant.shape
    args: dict[str, Value] = {
        "model": shape.model.name,
        "tensor-parallel-size": fit.cards,
        "dtype": "bfloat16",
        "block-size": BLOCK,
        "max-model-len": want.context,
        "max-num-seqs": want.concurrency,
        "max-num-batched-tokens": want.step_tokens,
        "gpu-memory-utilization": floor(fit.utilization * 100) / 100,
        "enable-chunked-prefill": True,
    }
    if fit.cards > CARDS_PER_NODE:
        args["distributed-executor-backend"] = "ray"
    if want.number == 1:
        args["kv-cache-dtype"] = "fp8_inc"
    if plant.quantization.name == "inc" or (want.number == 1 and plant.quantization.name == "none"):
        args["quantization"] = "inc"
    if shape.states:
        # Neither prefix caching nor LMCache is of use to a state, which is not made of tokens.
        args["no-enable-prefix-caching"] = True
        return args
    args["enable-prefix-caching"] = True
    args["disable-hybrid-kv-cache-manager"] = True
    args["kv-transfer-config"] = json.dumps(CONNECTOR)
    return args


def environment(plant: Plant, want: Want, args: Mapping[str, Value]) -> dict[str, str]:
    """Variables for the shell that starts vLLM."""
    variables = {
        "PT_HPU_LAZY_MODE": "0",
        "VLLM_BUCKETING_STRATEGY": "exp",
        "VLLM_CONTIGUOUS_PA": "false",
        "VLLM_GRAPH_RESERVED_MEM": f"{want.graphs:g}",
    }
    if "kv-transfer-config" in args:
        variables["PYTHONHASHSEED"] = "0"
        variables["LMCACHE_CONFIG_FILE"] = "lmcache.yaml"
    if args.get("quantization") == "inc":
        variables["QUANT_CONFIG"] = "inc.json"
    if want.context > _LONG:
        variables["VLLM_ENGINE_ITERATION_TIMEOUT_S"] = "3600"
        variables["VLLM_RPC_TIMEOUT"] = "100000"
    if plant.shape.limit is not None and want.context > plant.shape.limit:
        variables["VLLM_ALLOW_LONG_MAX_MODEL_LEN"] = "1"
    return variables


def bucket_ranges(want: Want) -> dict[str, str]:
    """For ``VLLM_BUCKETING_STRATEGY=lin`` or ``pad``, which read them; ``exp`` overwrites them."""
    blocks = -(-want.context // BLOCK)
    return {
        "VLLM_PROMPT_BS_BUCKET_MAX": "1",
        "VLLM_PROMPT_QUERY_BUCKET_MAX": str(want.step_tokens),
        "VLLM_PROMPT_CTX_BUCKET_MAX": str(max(0, blocks - 1)),
        "VLLM_DECODE_BS_BUCKET_MAX": str(want.concurrency),
        "VLLM_DECODE_BLOCK_BUCKET_MAX": str(blocks * want.concurrency),
    }


def yaml(values: Mapping[str, Value]) -> str:
    """A flat YAML document."""
    return "".join(f"{key}: {_scalar(value)}\n" for key, value in values.items())


def _scalar(value: Value) -> str:
    """A JSON value is a YAML value, but JSON in a string is easier to read in single quotes."""
    if isinstance(value, str) and '"' in value and "'" not in value:
        return f"'{value}'"
    return json.dumps(value)
