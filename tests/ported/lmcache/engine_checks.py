"""Run as a program, with a ported release first on the path: layers by way of LMCache's engine.

engine_checks.py CHECK RELEASE
"""

# ruff: noqa: I001  (the device is installed by release_bench, before upstream looks for one)

import random

import torch
from release_bench import CHUNK, DTYPE, MLA, PAIR, main, third_parties

import kv_reference as ref

with third_parties():
    from lmcache.hpu.connectors.layerwise import VLLMPagedMemLayerwiseHPUConnector
    from lmcache.v1.cache_engine import LMCacheEngineBuilder
    from lmcache.v1.config import LMCacheEngineConfig

LAYERS = 4


def engine_of(release, use_mla):
    """With memory of this host behind it."""
    shape = (LAYERS, 1 if use_mla else 2, CHUNK, 1 if use_mla else ref.HEADS, ref.WIDTH)
    if not use_mla:
        shape = (*shape[:4], ref.HEAD)
    if release < "0.4":
        from lmcache.config import LMCacheEngineMetadata  # noqa: PLC0415

        metadata = LMCacheEngineMetadata("m", 1, 0, "vllm", DTYPE, shape, use_mla)
    else:
        from lmcache.v1.metadata import LMCacheMetadata  # noqa: PLC0415

        metadata = LMCacheMetadata("m", 1, 1, 0, 0, DTYPE, shape, use_mla=use_mla, chunk_size=CHUNK)
    config = LMCacheEngineConfig.from_defaults(
        chunk_size=CHUNK, local_cpu=True, max_local_cpu_size=0.05, use_layerwise=True
    )
    connector = VLLMPagedMemLayerwiseHPUConnector(
        ref.WIDTH, LAYERS, True, chunk_size=CHUNK, dtype=DTYPE, device="hpu", use_mla=use_mla
    )
    same = lambda given, _: given  # noqa: E731
    engine = LMCacheEngineBuilder.get_or_create("one", config, metadata, connector, same, same)
    post_init = getattr(engine, "post_init", None)
    if post_init:
        post_init()
    return engine


def round_trip(release, use_mla=False):
    engine = engine_of(release, use_mla)
    try:
        stored_and_loaded(engine, MLA if use_mla else PAIR)
    finally:
        LMCacheEngineBuilder.destroy("one")  # its threads would go on


def stored_and_loaded(engine, layout):
    """What two prompts of a step stored, a layer at a time, they load into other blocks."""
    rng = random.Random(0)
    layers = [layout.make(DTYPE) for _ in range(LAYERS)]
    caches = [layout.on_device(tensors) for tensors in layers]
    prompts = [torch.randint(1000, (length,)) for length in (2 * CHUNK, CHUNK)]
    blocks = rng.sample(range(ref.BLOCKS), ref.BLOCKS)
    places = [slots_of(blocks[:5], len(prompts[0])), slots_of(blocks[5:], len(prompts[1]))]
    given = [
        {"kvcaches": caches, "slot_mapping": torch.tensor(slots), "sync": first}
        for first, slots in zip((True, False), places, strict=True)
    ]
    stores = [engine.store_layer(p, **more) for p, more in zip(prompts, given, strict=True)]
    for _ in range(LAYERS + 1):
        for store in stores:
            next(store)
    assert engine.gpu_connector.gpu_buffer_allocator.memcheck()

    emptied = [layout.make(DTYPE) for _ in range(LAYERS)]
    fresh = [layout.on_device(tensors) for tensors in emptied]
    order = rng.sample(range(ref.BLOCKS), ref.BLOCKS)
    others = [slots_of(order[:5], len(prompts[0])), slots_of(order[5:], len(prompts[1]))]
    given = [
        {"kvcaches": fresh, "slot_mapping": torch.tensor(slots), "sync": last}
        for last, slots in zip((False, True), others, strict=True)
    ]
    loads = [engine.retrieve_layer(p, **more) for p, more in zip(prompts, given, strict=True)]
    for load in loads:
        next(load)
        next(load)
    for layer in range(LAYERS):
        masks = [next(load) for load in loads]
        for source, target in zip(places, others, strict=True):
            for plane in range(layout.planes):
                for one, other in zip(source, target, strict=True):
                    row = layout.row(layers[layer], plane, one)
                    layout.row(emptied[layer], plane, other).copy_(row)
        parts = [fresh[layer]] if layout is MLA else fresh[layer]
        for one, other in zip(emptied[layer], parts, strict=False):
            assert ref.same_bits(one, other.cpu()), layer
    assert all(mask.all() for mask in masks)
    assert engine.gpu_connector.gpu_buffer_allocator.memcheck()


def mla(release):
    round_trip(release, use_mla=True)


def slots_of(blocks, tokens):
    return [block * ref.BLOCK + offset for block in blocks for offset in range(ref.BLOCK)][:tokens]


main(globals())
