"""Run as a program, with a ported release first on the path: its connector in a runner's steps.

VLLM_BASE is the folder that vLLM's base class lies in.

The runner is a stand-in of the plugin's, and so is what upstream imports of vLLM. The connector,
the adapter, LMCache's engine and its memory are those of the release. Services are not started.
"""

# ruff: noqa: E402, I001, PLC0415  (the device comes before upstream, which looks for one)

import os
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import torch

if os.environ.get("PT_HPU_GPU_MIGRATION"):
    # Intel's GPU migration is there on a card alone. As it does, say that CUDA is available.
    torch.cuda.is_available, torch.cuda.device_count = lambda: True, lambda: 1

from release_bench import DTYPE, main

import porter.emulator
import kv_reference as ref
from gaudi_runner import Runner, Sequence
from stand_ins import stand_in_for

stand_in_for(("vllm",), Path(os.environ["VLLM_BASE"]))

from lmcache.integration.vllm import vllm_v1_adapter as upstream
from lmcache.integration.vllm import vllm_v1_adapter_hpu as ours
from lmcache.integration.vllm.lmcache_connector_hpu import LMCacheConnectorV1HPU
from lmcache.v1.cache_engine import LMCacheEngineBuilder
from lmcache.v1.config import LMCacheEngineConfig
from vllm.distributed.kv_transfer.kv_connector.v1.base import KVConnectorRole
import vllm.utils.hashing
import vllm.v1.core.kv_cache_utils

vllm.utils.hashing.get_hash_fn_by_name = lambda name: hash
vllm.v1.core.kv_cache_utils.NONE_HASH = 0
LAYERS, CHUNK = 3, 2 * ref.BLOCK


def engine(release, config):
    """LMCache's own, with the connector that the release gets on Gaudi."""
    shape = (LAYERS, 2, CHUNK, ref.HEADS, ref.HEAD)
    if release < "0.4":
        from lmcache.config import LMCacheEngineMetadata
        from lmcache.hpu.connectors.layerwise import VLLMPagedMemLayerwiseHPUConnector
        from lmcache.hpu.connectors.paged import VLLMPagedMemHPUConnectorV2

        metadata = LMCacheEngineMetadata("m", 1, 0, "vllm", DTYPE, shape, False, "worker")
        connectors = (VLLMPagedMemHPUConnectorV2, VLLMPagedMemLayerwiseHPUConnector)
        made = connectors[config.use_layerwise](ref.WIDTH, LAYERS, chunk_size=CHUNK, dtype=DTYPE)
    else:
        from lmcache.hpu.connectors.create import CreateGPUConnector
        from lmcache.utils import EngineType
        from lmcache.v1.metadata import LMCacheMetadata

        metadata = LMCacheMetadata("m", 1, 1, 0, 0, DTYPE, shape, role="worker", chunk_size=CHUNK)
        made = CreateGPUConnector(config, metadata, EngineType.VLLM)
    broadcast = {"broadcast_fn": lambda tensor, _: tensor, "broadcast_object_fn": lambda it, _: it}
    name = f"engine {len(LMCacheEngineBuilder._instances)}"
    return LMCacheEngineBuilder.get_or_create(name, config, metadata, made, **broadcast)


class Served:
    """A runner, and a connector that works for it."""

    def __init__(self, release, *, layerwise=True, eager=True, asynchronous=False, **chosen):
        config = LMCacheEngineConfig.from_defaults(
            chunk_size=CHUNK,
            local_cpu=True,
            max_local_cpu_size=0.05,
            save_unfull_chunk=False,
            use_layerwise=layerwise,
            **chosen,
        )
        self.engine = engine(release, config)
        self.runner = Runner(LAYERS, eager=eager, asynchronous=asynchronous)
        vllm_config = SimpleNamespace(
            kv_transfer_config=SimpleNamespace(kv_role="kv_both", engine_id="e"),
            model_config=SimpleNamespace(enforce_eager=eager),
            compilation_config=SimpleNamespace(static_forward_context=self.runner.layers),
        )

        def without_services(adapter, vllm_config, role, parent):
            attributes = {
                "_parent": parent,
                "_vllm_config": vllm_config,
                "_manager": SimpleNamespace(
                    lmcache_engine=self.engine, post_init=self.engine.post_init
                ),
                "_stats_monitor": upstream.LMCStatsMonitor.GetOrCreate(),
                "_block_size": ref.BLOCK,
                "_lmcache_chunk_size": CHUNK,
                "_invalid_block_ids": set(),
                "_layerwise_save_storers": {},
                "async_loading": False,
                "config": config,
                "current_layer": 0,
                "device": torch.device("hpu"),
                "enable_blending": False,
                "kv_caches": {},
                "kv_role": "kv_both",
                "num_layers": LAYERS,
                "use_layerwise": layerwise,
            }
            if not hasattr(type(adapter), "lmcache_engine"):
                attributes["lmcache_engine"] = self.engine
            vars(adapter).update(attributes)

        with patch.object(ours.LMCacheConnectorV1ImplHPU, "__init__", without_services):
            role = KVConnectorRole.WORKER
            self.connector = LMCacheConnectorV1HPU(vllm_config, role, SimpleNamespace())
        self.adapter = self.connector._lmcache_engine
        self.runner.register(self.connector)

    def step(self, *sequences, **changes):
        """All of them load what LMCache has, prompts are saved, and each must read its KV."""
        requests = []
        for sequence in sequences:
            hit = self.hit(sequence) if sequence.is_prompt else 0
            requests.append(request(sequence, hit))
            sequence.computed = max(sequence.computed, hit)
            sequence.read.clear()
        self.runner.execute(list(sequences), upstream.LMCacheConnectorMetadata(requests), **changes)

    def hit(self, sequence):
        return self.engine.lookup(sequence.ids, lookup_id=sequence.name)

    def check(self, *sequences):
        for sequence in sequences:
            self.runner.check(sequence)


def request(sequence, hit):
    load = upstream.LoadSpec(sequence.computed, hit, can_load=True) if hit else None
    return SimpleNamespace(
        req_id=sequence.name,
        token_ids=sequence.ids,
        slot_mapping=sequence.slots,
        is_last_prefill=True,
        load_spec=load,
        save_spec=upstream.SaveSpec(hit, can_save=sequence.is_prompt),
        disagg_spec=None,
        request_configs=None,
    )


def sequence(name, start, blocks, length, **more):
    return Sequence(name, [(start + i) % 64 for i in range(length)], blocks, **more)


def comes_back(release, **chosen):
    """Two prompts and one that decodes in one step, then the prompts again, beside a new one."""
    served = Served(release, **chosen)
    served.runner.warm_up([sequence("warm", 0, [0], 4)])
    old = sequence("old", 60, [1, 2], 7)
    served.step(old)
    first, second = sequence("a", 1, [3, 4, 5], 11), sequence("b", 20, [6, 7, 8, 9, 12], 18)
    old.ids.append(9)
    old.computed = 7
    assert (served.hit(first), served.hit(second)) == (0, 0)
    served.step(first, old, second)
    served.check(first, old, second)
    assert (served.hit(first), served.hit(second)) == (8, 16)
    served.runner.forget()
    served.runner.warm_up([sequence("warm", 0, [0], 4)])
    again = sequence("c", 1, [15, 11, 13], 11), sequence("d", 20, [10, 20, 2, 17, 23], 18)
    new = sequence("e", 40, [1, 3, 5], 12)
    served.step(again[0], new, again[1])
    served.check(*again, new)
    assert [one.computed for one in (*again, new)] == [8, 16, 0]
    assert served.hit(new) == 8
    return served


def whole(release):
    """All layers at once: nothing is asked of the layers."""
    served = comes_back(release, layerwise=False)
    assert all("forward" not in vars(layer) for layer in served.runner.layers.values())


def eager(release):
    comes_back(release, eager=True)


def eager_and_asynchronous(release):
    comes_back(release, eager=True, asynchronous=True)


def eager_while_decodes_are_saved(release):
    comes_back(release, eager=True, save_decode_cache=True)


def graphs(release):
    served = comes_back(release, eager=False)
    assert all("forward" not in vars(layer) for layer in served.runner.layers.values())


def beside_the_computation(release):
    """Layers are loaded in the first pass, and saved in the last of a prompt, one by one."""
    served = Served(release)
    seen = []
    for layer in served.runner.layers.values():
        layer.run = noting(layer.run, seen, lambda: served.adapter._step)
    served.step(sequence("a", 1, [3, 4, 5], 11), sequence("b", 20, [6, 7, 8, 9], 14))
    assert seen == [(3, 0), (3, 0), (3, 0), (3, 0), (3, 1), (3, 2)], seen
    seen.clear()
    served.step(sequence("c", 1, [1, 2, 10], 11), sequence("d", 20, [11, 12, 13, 14], 14))
    assert seen == [(1, 0), (2, 0), (3, 0), (3, 0), (3, 1), (3, 2)], seen


def noting(run, seen, step):
    def noted(batch):
        seen.append((step()._loaded, step()._saved))
        run(batch)

    return noted


def slots_stay_on_the_host(release):
    """The engine is given a slot mapping on the CPU, to load and to store."""
    for layerwise in (False, True):
        served = Served(release, layerwise=layerwise)
        given = []
        for name in ("retrieve", "store", "retrieve_layer", "store_layer"):
            method = getattr(served.engine, name)
            setattr(served.engine, name, giving(method, given))
        served.step(sequence("a", 1, [3, 4, 5], 11))
        served.step(sequence("b", 1, [6, 7, 8], 11))
        assert given == ["cpu"] * 3, given


def giving(method, given):
    def called(*arguments, **more):
        given.append(more["slot_mapping"].device.type)
        return method(*arguments, **more)

    return called


def missing(release):
    """Blocks of what was not loaded are named, and those that vLLM had itself are not."""
    served = Served(release)
    served.step(sequence("a", 20, [6, 7, 8, 9, 12], 18))
    retrieve = served.engine.retrieve_layer

    def half(tokens, mask, **more):
        for found in retrieve(tokens, mask, **more):
            is_mask = found is not None and found.dim()
            yield found & (torch.arange(len(found)) < CHUNK) if is_mask else found

    served.engine.retrieve_layer = half
    served.step(sequence("b", 20, [1, 2, 3, 4, 5], 18, computed=12))
    assert served.connector.get_block_ids_with_load_errors() == {4}
    assert served.connector.get_block_ids_with_load_errors() == set()


def layers_that_are_not_called(release):
    """A step that has run on KV which was not loaded is an error, and not a wrong token."""
    served = Served(release)
    served.step(sequence("a", 1, [3, 4, 5], 11))
    served.runner.eager = False
    try:
        served.step(sequence("b", 1, [6, 7, 8], 11))
    except RuntimeError as error:
        assert "set use_layerwise to False" in str(error)
        porter.emulator.forget()  # nor was the load waited for
    else:
        raise AssertionError("no error")


main(globals())
