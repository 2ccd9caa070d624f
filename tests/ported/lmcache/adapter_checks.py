"""The adapter around upstream's own, on the emulated device: started with the folder of modules.

Upstream's adapter is that of a ported release, vLLM's base class that of its wheel. What else they
import of vLLM and LMCache is a stand-in, and so is the engine that stores and loads.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from stand_ins import stand_in_for

from porter.emulator.install import install

BLOCK, CHUNK = 128, 256


install()
import_module("habana_frameworks.torch")
stand_in_for(("vllm", "lmcache"), Path(sys.argv[1]))

# A stand-in has every name, so ``from package import module`` would not load the module.
import_module("lmcache.utils")._lmcache_nvtx_annotate = lambda method: method
upstream: Any = import_module("lmcache.integration.vllm.vllm_v1_adapter")
ours: Any = import_module("lmcache.integration.vllm.vllm_v1_adapter_hpu")


class Engine:
    """Has the first block of what it is asked for, and not the second."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, str]] = []

    def retrieve(self, tokens: Any, mask: torch.Tensor, **more: Any) -> torch.Tensor:
        self.asked.append((len(tokens), more["slot_mapping"].device.type))
        return mask & (torch.arange(len(mask)) < BLOCK)

    def post_init(self, **more: Any) -> None: ...

    def lookup_unpin(self, request: str) -> None: ...


def adapter(requests: list[Any] = (), **changes: Any) -> Any:
    """One that has not set up LMCache's services."""
    engine = Engine()
    metadata = upstream.LMCacheConnectorMetadata(list(requests))
    attributes = {
        "_parent": SimpleNamespace(_get_connector_metadata=lambda: metadata),
        "_manager": SimpleNamespace(lmcache_engine=engine, post_init=lambda: None),
        "_stats_monitor": upstream.LMCStatsMonitor,
        "_block_size": BLOCK,
        "_lmcache_chunk_size": CHUNK,
        "_invalid_block_ids": set(),
        "async_loading": False,
        "device": torch.device("hpu"),
        "enable_blending": False,
        "use_layerwise": False,
        "kv_caches": {"layer": "cache"},
        **changes,
    }
    made = object.__new__(ours.LMCacheConnectorV1ImplHPU)
    if not hasattr(ours.LMCacheConnectorV1ImplHPU, "lmcache_engine"):
        attributes["lmcache_engine"] = engine
    vars(made).update(attributes)
    return made


def request() -> Any:
    load = upstream.LoadSpec(vllm_cached_tokens=0, lmcache_cached_tokens=CHUNK, can_load=True)
    return SimpleNamespace(
        load_spec=load,
        token_ids=list(range(CHUNK)),
        slot_mapping=torch.arange(4 * BLOCK, 4 * BLOCK + CHUNK),
        request_configs=None,
        req_id="r",
    )


def context(attn_metadata: Any = None) -> Any:
    layers = {"layer": SimpleNamespace(kv_cache=["flattened"])}
    return SimpleNamespace(attn_metadata=attn_metadata, no_compile_layers=layers, virtual_engine=0)


def check_loads_without_attention_metadata() -> None:
    made, step = adapter([request()]), context()
    upstream.LMCacheConnectorV1Impl.start_load_kv(made, step)
    assert made.lmcache_engine.asked == [], "upstream has changed: it loads by itself"
    made.start_load_kv(step)
    assert made.lmcache_engine.asked == [(CHUNK, "hpu")]
    assert step.attn_metadata is None


def check_loads_with_attention_metadata() -> None:
    made = adapter([request()])
    made.start_load_kv(context({"layer": object()}))
    assert made.lmcache_engine.asked == [(CHUNK, "hpu")]


def check_nothing_to_load() -> None:
    made = adapter()
    made.start_load_kv(context())
    assert made.lmcache_engine.asked == []


def check_blocks_that_were_not_loaded() -> None:
    made = adapter([request()])
    made.start_load_kv(context())
    assert made.get_block_ids_with_load_errors() == {5}
    assert made.get_block_ids_with_load_errors() == set()


def check_caches_are_registered() -> None:
    made, caches = adapter(kv_caches={}), {"layer": ("key", "value")}
    made.register_kv_caches(caches)
    assert made.kv_caches == caches


def check_caches_are_not_taken_from_layers() -> None:
    made = adapter([request()], kv_caches={})
    try:
        made.start_load_kv(context())
    except RuntimeError as error:
        assert "register_kv_caches" in str(error)
    else:
        raise AssertionError(made.kv_caches)


def check_a_step_begins_with_the_first_layer() -> None:
    made = adapter(current_layer=3, layerwise_retrievers=[1], layerwise_storers=[2])
    made.bind_connector_metadata(upstream.LMCacheConnectorMetadata([]))
    assert (made.current_layer, made.layerwise_retrievers, made.layerwise_storers) == (0, [], [])


CHECKS = [check for name, check in list(globals().items()) if name.startswith("check_")]

if __name__ == "__main__":
    for check in CHECKS:
        check()
        print(check.__name__, flush=True)
