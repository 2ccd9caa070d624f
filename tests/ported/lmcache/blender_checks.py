"""Run as a program, with a ported release first on the path: what LMCache's blender computes.

blender_checks.py CHECK RELEASE
"""

# ruff: noqa: I001  (the device is installed by release_bench, before upstream looks for one)

import random
import sys
from inspect import isgeneratorfunction
from types import SimpleNamespace
from unittest.mock import patch

import torch
from release_bench import allocator, main, refused

import porter.emulator
import llama_standin as llama
from lmcache.hpu.attention import LMCHPUAttnBackend, LMCHPUAttnMetadata
from lmcache.hpu.compute import KeepingBlender
from lmcache.hpu.connectors.blending import VLLMBufferLayerwiseHPUConnector
from lmcache.hpu.connectors.prompt import Prompt
from lmcache.hpu.tracking import track, track_models
from lmcache.integration.vllm.utils import ENGINE_NAME
from lmcache.v1.compute.blend.utils import LMCBlenderBuilder
from lmcache.v1.compute.models.utils import VLLMModelTracker
from lmcache.v1.memory_management import MemoryFormat

BLOCK, BLOCKS, CHECK, RATIO, SEPARATOR = 4, 16, 1, 0.3, 2


def model_of(seed):
    torch.manual_seed(seed)
    return llama.LlamaForCausalLM().requires_grad_(False)


def computed(model, tokens, positions, reused, top):
    """The keys and values [2, T, D] of each layer after blending, token by token, on the CPU.

    Before the layer ``CHECK`` all tokens are computed and kept; there the most different keys are
    found, and from there on those tokens alone are computed and kept. ``top`` of them.
    """
    model, attend = model.double(), list(range(len(tokens)))
    hidden = {i: model.model.embed_tokens.weight[tokens[i]] for i in attend}
    caches = []
    for number, layer in enumerate(model.model.layers):
        attention, kept = layer.self_attn, [row.clone() for row in reused[number].double()]
        queries, fresh = {}, {}
        for i in attend:
            qkv, _ = attention.qkv_proj(layer.input_layernorm(hidden[i]))
            q, k, v = qkv.split([attention.q_size, attention.kv_size, attention.kv_size])
            queries[i], fresh[i] = (
                turned(model, positions[i], q),
                (turned(model, positions[i], k), v),
            )
        if number == CHECK:
            far = {i: float(((fresh[i][0] - kept[0][i]) ** 2).sum()) for i in attend}
            attend = sorted(sorted(far, key=far.get)[-top:])
        for i in attend:
            kept[0][i], kept[1][i] = fresh[i]
        keys, values = kept
        for i in attend:
            seen, _ = attention.o_proj(one_query(queries[i], keys[: i + 1], values[: i + 1]))
            total = hidden[i] + seen
            normed = layer.post_attention_layernorm(total)
            hidden[i] = total + layer.mlp(normed)
        caches.append(torch.stack(tuple(kept)))
    return caches


def turned(model, position, vector):
    rope = model.model.layers[0].self_attn.rotary_emb
    return rope(torch.tensor([position]), vector[None], vector[None])[0][0]


def one_query(query, keys, values):
    """[H * HS] over [t, KVH * HS], head by head."""
    heads = []
    for head, part in enumerate(query.split(llama.HEAD)):
        shared = head // (llama.HEADS // llama.KV_HEADS)
        own = slice(shared * llama.HEAD, (shared + 1) * llama.HEAD)
        weights = (keys[:, own] @ part * llama.HEAD**-0.5).softmax(0)
        heads.append(weights @ values[:, own])
    return torch.cat(heads)


class Engine:
    """Stands in for LMCache's: hands the objects of a prompt to the connector, layer by layer."""

    def __init__(self, connector, spans, objects):
        self.connector, self.spans, self.objects = connector, spans, objects

    def retrieve_layer(self, tokens, mask=None, **more):
        starts, ends = ([span[i] for span in self.spans] for i in (0, 1))
        load = self.connector.batched_to_gpu(starts, ends, **more)
        next(load)
        for of_layer in self.objects:
            yield None
            load.send(of_layer)
        yield None
        next(load)
        yield torch.ones(len(tokens), dtype=torch.bool)


def blended(release, seed, ratio=RATIO):
    """The caches by layer that the blender leaves behind, and what they should be.

    Between the parts of the prompt is what separates them, of which nothing is reused.
    """
    rng = random.Random(seed)
    starts, ends, total = [], [], -SEPARATOR
    for size in (rng.randrange(3, 12) for _ in range(3)):
        starts.append(total + SEPARATOR)
        total = starts[-1] + size
        ends.append(total)
    spans = list(zip(starts, ends, strict=True))
    tokens = [rng.randrange(llama.VOCABULARY) for _ in range(total)]
    connector = VLLMBufferLayerwiseHPUConnector(
        llama.WIDTH, llama.LAYERS, use_gpu=True, dtype=torch.float32, device="hpu"
    )
    host, memory = model_of(seed), allocator(release)
    reused = [torch.randn(2, total, llama.WIDTH) for _ in range(llama.LAYERS)]
    for end, start in zip(ends, starts[1:], strict=False):
        for layer in reused:
            layer[:, end:start] = 0
    objects = []
    for layer in range(llama.LAYERS):
        objects.append([])
        for start, end in spans:
            shape = connector.get_shape(end - start)
            item = memory.allocate(shape, torch.float32, fmt=MemoryFormat.KV_2TD)
            item.tensor.copy_(reused[layer][:, start:end])
            where = rng.randrange(64)
            item.metadata.cached_positions = torch.arange(where, where + end - start)
            objects[-1].append(item)
    for layer, of_layer in enumerate(objects):  # the positions of the first layer hold for all
        for (start, end), item, first in zip(spans, of_layer, objects[0], strict=True):
            old = first.metadata.cached_positions.tolist()
            for token in range(start, end):
                key = item.tensor[0, token - start].double()
                reused[layer][0, token] = moved(host, old[token - start], token, key)
    caches = [
        tuple(torch.zeros(BLOCKS, BLOCK, llama.KV_HEADS, llama.HEAD, device="hpu") for _ in "kv")
        for _ in range(llama.LAYERS)
    ]
    slots = [b * BLOCK + o for b in rng.sample(range(BLOCKS), BLOCKS) for o in range(BLOCK)][:total]
    engine = Engine(connector, spans, objects)
    blender = blender_of(model_of(seed).to("hpu"), engine, connector, ratio)
    blender.blend(tokens, kvcaches=caches, slot_mapping=torch.tensor(slots))
    found = [
        torch.stack([part.cpu().view(-1, llama.WIDTH)[slots] for part in cache]) for cache in caches
    ]
    top = max(int(total * ratio), 1)
    return found, computed(host, tokens, range(total), reused, top), connector


def moved(model, old, new, key):
    """Turned back, and on."""
    rope = model.double().model.layers[0].self_attn.rotary_emb
    cos_sin = rope.cos_sin_cache.cpu().double()
    (c0, s0), (c1, s1) = cos_sin[old].chunk(2), cos_sin[new].chunk(2)
    out = []
    for head in key.split(llama.HEAD):
        x, y = head.chunk(2)
        x, y = x * c0 + y * s0, y * c0 - x * s0
        out += [x * c1 - y * s1, y * c1 + x * s1]
    return torch.cat(out)


def blender_of(model, engine, connector, ratio):
    """By way of LMCache's own registers; the plugin wraps the model in an adapter."""
    VLLMModelTracker._vllm_models.clear()
    LMCBlenderBuilder._blenders.clear()
    adapter = type("HpuModelAdapter", (torch.nn.Module,), {})()
    adapter.model = model
    track(adapter)
    track(adapter)
    assert VLLMModelTracker.get_model(ENGINE_NAME) is model
    config = SimpleNamespace(
        extra_config=None,
        blend_check_layers=[CHECK],
        blend_recompute_ratios=[ratio],
        blend_thresholds=None,
    )
    blender = LMCBlenderBuilder.get_or_create(ENGINE_NAME, engine, connector, config)
    assert isgeneratorfunction(type(blender.layerwise_model).compute_layer)  # not compiled
    return blender


def blends(release):
    """The caches are those of a plain computation.

    Where all tokens are computed again, that is one of the prompt alone.
    """
    for seed, ratio in enumerate([RATIO] * 5 + [1.0]):
        found, expected, connector = blended(release, seed, ratio)
        for number, (one, other) in enumerate(zip(found, expected, strict=True)):
            torch.testing.assert_close(one.double(), other, rtol=1e-4, atol=1e-4, msg=f"{number}")
        assert connector.gpu_buffer_allocator.memcheck()


def faults(release):
    """What is done wrong below shows in the caches."""
    expect_wrong(release, LMCHPUAttnMetadata, "update_from_top_indices", counted_from_the_last)
    expect_wrong(release, VLLMBufferLayerwiseHPUConnector, "get_kv", values_first)
    expect_wrong(release, Prompt, "rotate", lambda *_: None)
    expect_wrong(release, KeepingBlender, "process_qkv", forgetful)


def expect_wrong(release, owner, name, wrong):
    with patch.object(owner, name, wrong):
        found, expected, _ = blended(release, 0)
    pairs = zip(found, expected, strict=True)
    assert not all(torch.allclose(one.double(), other, atol=1e-2) for one, other in pairs), name


def counted_from_the_last(self, top_indices):
    queries = len(top_indices)
    last = torch.arange(queries, device="hpu") + self.num_tokens - queries
    later = torch.arange(self.num_tokens, device="hpu") > last[:, None]
    self.mask = torch.zeros(later.shape, device="hpu").masked_fill(later, -torch.inf)


def forgetful(self, *arguments):
    return self._blender.process_qkv(*arguments)


def values_first(self, layer_id, get_kv=VLLMBufferLayerwiseHPUConnector.get_kv):
    return get_kv(self, layer_id)[::-1]


def tracks(release):
    """vLLM's loaders tell of a model; a draft model that is loaded behind it is not the blender's.

    The loader stands in for vLLM's.
    """
    del release
    name = "vllm.model_executor.model_loader.base_loader"
    loader = type("BaseModelLoader", (), {"load_model": lambda self, model: model})
    module = SimpleNamespace(BaseModelLoader=loader)
    VLLMModelTracker._vllm_models.clear()
    above = {name.rpartition(".")[0]: SimpleNamespace(base_loader=module), name: module}
    with patch.dict(sys.modules, above):
        track_models()
        once = loader.load_model
        track_models()
        assert loader.load_model is once
    model, draft = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)
    assert loader().load_model(model) is model
    assert loader().load_model(model=draft) is draft
    assert VLLMModelTracker.get_model(ENGINE_NAME) is model


def sees(release):
    """Queries at any positions, shared heads; a token further on changes nothing."""
    del release
    impl = SimpleNamespace(scale=llama.HEAD**-0.5)
    for dtype, atol in ((torch.float32, 1e-5), (torch.bfloat16, 3e-2)):
        backend = LMCHPUAttnBackend(SimpleNamespace(impl=impl))
        torch.manual_seed(0)
        key, value = torch.randn(2, 13, llama.KV_HEADS, llama.HEAD).to(dtype)
        for top in (None, [0], [3, 4, 12], [12]):
            chosen = list(range(13)) if top is None else top
            query = torch.randn(len(chosen), llama.HEADS, llama.HEAD).to(dtype)
            metadata = backend.init_attn_metadata(torch.zeros(13, dtype=torch.int64, device="hpu"))
            if top:
                metadata.update_from_top_indices(torch.tensor(top, device="hpu"))
            output = torch.empty_like(query, device="hpu")
            given = (query.to("hpu"), key.to("hpu"), value.to("hpu"))
            assert backend.forward_contiguous(*given, output, metadata) is output
            for row, position in enumerate(chosen):
                keys, values = (t[: position + 1].flatten(1).double() for t in (key, value))
                wanted = one_query(query[row].flatten().double(), keys, values)
                torch.testing.assert_close(
                    output[row].flatten().cpu().double(), wanted, rtol=0, atol=atol
                )


def budget(release):
    """No shape depends on data: other tokens of one length are no other graphs; one wait."""
    torch.hpu.synchronize()
    with porter.emulator.record() as first:
        blended(release, 0)
    with porter.emulator.record() as both:
        blended(release, 0)
        blended(release, 0)
    assert both.graphs == first.graphs
    assert first.waits.get("event synchronize", 0) == 1, first.waits


def refusals(release):
    del release
    from lmcache.v1.compute.attention.utils import (  # noqa: PLC0415
        infer_attn_backend_from_vllm,
        infer_attn_func_from_vllm,
    )

    def attention(**more):
        return SimpleNamespace(impl=SimpleNamespace(scale=1.0, **more))

    assert isinstance(infer_attn_backend_from_vllm(attention()), LMCHPUAttnBackend)
    infer_attn_backend_from_vllm(attention(logits_soft_cap=0.0, sliding_window=None))
    refused("no sparse attention", lambda: infer_attn_backend_from_vllm(attention(), True))
    for feature in ("alibi_slopes", "sliding_window", "logits_soft_cap", "sinks"):
        one = attention(**{feature: torch.ones(2) if feature == "sinks" else 8})
        refused(f"with {feature}", lambda one=one: infer_attn_backend_from_vllm(one))
    refused("no flash attention", lambda: infer_attn_func_from_vllm("hpu"))


main(globals())
