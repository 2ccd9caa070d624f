"""Run as a program, with a ported release first on the path: connectors with its classes.

connector_checks.py CHECK RELEASE
"""

# ruff: noqa: I001  (the device is installed by release_bench, before upstream looks for one)

import torch
from release_bench import (
    CHUNK,
    DTYPE,
    LAYERS,
    MLA,
    PAIR,
    SLOTS,
    SPANS,
    allocator,
    main,
    metadata,
    refused,
)

import porter.emulator
import kv_reference as ref
from lmcache.hpu.connectors import paged
from lmcache.v1.memory_management import MemoryFormat


def make_v2(release, use_mla):
    """As the adapter of the release does."""
    if release < "0.4":
        width = ref.WIDTH
        named = {"chunk_size": CHUNK, "dtype": DTYPE, "device": "hpu", "use_mla": use_mla}
        return paged.VLLMPagedMemHPUConnectorV2(width, LAYERS, use_gpu=True, **named)
    return paged.VLLMPagedMemHPUConnectorV2.from_metadata(metadata(use_mla), True, "hpu")


class Bench:
    """Caches and objects on both sides, and what a token by token copy makes of them."""

    def __init__(self, groups, objects):
        """``groups``: layout and layers of each; ``objects``: the memory objects."""
        self.groups = [(layout, [layout.make(DTYPE) for _ in range(n)]) for layout, n in groups]
        self.caches = [layout.on_device(t) for layout, layers in self.groups for t in layers]
        self.objects = objects
        for tensor in self.tensors():
            tensor.copy_(ref.random_bits(*tensor.shape, dtype=DTYPE))

    def tensors(self):
        for item in self.objects:
            yield from self.parts(item)

    def parts(self, item):
        count = len(self.groups)
        return [item.get_tensor(i) for i in range(count)] if count > 1 else [item.tensor]

    def expect(self, slots, to_host):
        expected = [[part.clone() for part in self.parts(item)] for item in self.objects]
        for (start, end), parts in zip(SPANS, expected, strict=True):
            for (layout, layers), part in zip(self.groups, parts, strict=True):
                planes = ref.planes_of(part, False)
                ref.copy(layout, layers, planes, slots[start:end], to_host)
        return expected

    def check(self, expected):
        for item, parts in zip(self.objects, expected, strict=True):
            assert all(map(ref.same_bits, self.parts(item), parts))
        layers = [tensors for _, layers in self.groups for tensors in layers]
        for tensors, cache in zip(layers, self.caches, strict=True):
            parts = [cache] if isinstance(cache, torch.Tensor) else cache
            for one, other in zip(tensors, parts, strict=False):
                assert ref.same_bits(one, other.cpu())


def both_directions(connector, bench):
    starts, ends = (list(x) for x in zip(*SPANS, strict=True))
    for mapping, waits in ((torch.tensor(SLOTS), 1), (torch.tensor(SLOTS, device="hpu"), 2)):
        expected = bench.expect(SLOTS, True)
        torch.hpu.synchronize()
        with porter.emulator.record() as recording:
            connector.batched_from_gpu(
                bench.objects, starts, ends, kvcaches=bench.caches, slot_mapping=mapping
            )
        assert recording.syncs == waits, recording.waits
        bench.check(expected)

        cached = ref.BLOCK + 1
        for tensor in bench.tensors():
            tensor.copy_(ref.random_bits(*tensor.shape, dtype=DTYPE))
        expected = bench.expect([-1] * cached + SLOTS[cached:], False)
        with porter.emulator.record() as recording:
            connector.batched_to_gpu(
                bench.objects, starts, ends, slot_mapping=mapping, vllm_cached_tokens=cached
            )
        assert recording.syncs == waits, recording.waits
        bench.check(expected)
    expected = bench.expect([-1] * CHUNK + SLOTS[CHUNK : 2 * CHUNK] + [-1] * CHUNK, True)
    connector.from_gpu(bench.objects[1], *SPANS[1], slot_mapping=mapping)
    bench.check(expected)
    for tensor in bench.tensors():
        tensor.copy_(ref.random_bits(*tensor.shape, dtype=DTYPE))
    expected = bench.expect([-1] * CHUNK + SLOTS[CHUNK : 2 * CHUNK] + [-1] * CHUNK, False)
    connector.to_gpu(bench.objects[1], *SPANS[1], slot_mapping=mapping)
    bench.check(expected)


def v2(release):
    for use_mla, layout in ((False, PAIR), (True, MLA)):
        connector = make_v2(release, use_mla)
        planes = 1 if use_mla else 2
        assert connector.get_shape(5) == torch.Size([planes, LAYERS, 5, ref.WIDTH])
        form = MemoryFormat.KV_MLA_FMT if use_mla else MemoryFormat.KV_2LTD
        memory = allocator(release)
        objects = [
            memory.allocate(connector.get_shape(end - start), DTYPE, fmt=form)
            for start, end in SPANS
        ]
        both_directions(connector, Bench([(layout, LAYERS)], objects))


def refusals(release):
    connector, memory = make_v2(release, False), allocator(release)
    cache = [PAIR.on_device(PAIR.make(DTYPE)) for _ in range(LAYERS)]
    item = memory.allocate(connector.get_shape(CHUNK), DTYPE, fmt=MemoryFormat.KV_2LTD)
    mapping = torch.arange(CHUNK)
    for complaint, given in (
        ("'kvcaches' must be given", {"slot_mapping": mapping}),
        ("'slot_mapping' must be given", {"kvcaches": cache}),
        ("tokens 0 to 8 of a slot mapping of 3", {"kvcaches": cache, "slot_mapping": mapping[:3]}),
    ):
        refused(complaint, lambda given=given: connector.from_gpu(item, 0, CHUNK, **given))
    item.metadata.fmt = MemoryFormat.KV_T2D
    given = {"kvcaches": cache, "slot_mapping": mapping}
    refused("in KV_T2D where KV_2LTD is needed", lambda: connector.to_gpu(item, 0, CHUNK, **given))
    scales = [(*pair, pair[0], pair[1]) for pair in cache]
    refused("dynamic scales", lambda: connector.initialize_kvcaches_ptr(kvcaches=scales))


def v3(release):
    """One shape of layers alone and, where upstream has that, a second one, MLA."""
    memory = allocator(release)
    mixed = [[(PAIR, 2), (MLA, 1)]] if release > "0.5" else []
    for groups in (*mixed, [(PAIR, LAYERS)]):
        about = metadata(layers=sum(count for _, count in groups))
        connector = paged.VLLMPagedMemHPUConnectorV3.from_metadata(about, True, "hpu")
        bench = Bench(groups, [])
        connector.initialize_kvcaches_ptr(kvcaches=bench.caches)
        assert about.get_num_groups() == len(groups)
        for start, end in SPANS:
            shapes = about.get_shapes(end - start)
            bench.objects.append(memory.allocate(shapes, about.get_dtypes(), MemoryFormat.KV_2LTD))
        both_directions(connector, bench)


def sglang(release):
    """Flat caches in one list or in two, with MLA one a layer; a mapping that begins later."""
    from lmcache.hpu.connectors.sglang import SGLangHPUConnector  # noqa: PLC0415

    memory, (start, end) = allocator(release), SPANS[0]
    for layout, use_mla in ((PAIR, False), (MLA, True)):
        stored, loaded = ([layout.make(DTYPE) for _ in range(LAYERS)] for _ in range(2))
        for to_lists in (lambda lists: [t for part in lists for t in part], list):
            source, target = (to_lists(_flat(layout, layers)) for layers in (stored, loaded))
            connector = SGLangHPUConnector(ref.WIDTH, LAYERS, use_mla=use_mla)
            item = memory.allocate(connector.get_shape(end - start), DTYPE)
            mapping = torch.tensor(SLOTS[start:end])
            connector.from_gpu(item, start, end, kvcaches=source, slot_mapping=mapping)
            given = {"kvcaches": target, "slot_mapping": mapping, "offset": 7}
            connector.to_gpu(item, start + 7, end + 7, **given)
            for one, other in zip(*map(_tensors, (source, target)), strict=True):
                assert ref.same_bits(one.cpu()[mapping], other.cpu()[mapping])
    refused("1 layers", lambda: connector.initialize_kvcaches_ptr(kvcaches=_tensors(source)[:1]))


def _flat(layout, layers):
    """The keys of all layers, and their values, each [slots, heads, elements]."""
    parts = zip(*(layer[:2] for layer in layers), strict=True)
    heads = 1 if layout is MLA else ref.HEADS
    return [[part.reshape(-1, heads, ref.WIDTH // heads).to("hpu") for part in p] for p in parts]


def _tensors(caches):
    return [t for cache in caches for t in ([cache] if torch.is_tensor(cache) else cache)]


def create(release):
    from lmcache import utils  # noqa: PLC0415
    from lmcache.hpu.connectors.create import CreateGPUConnector  # noqa: PLC0415
    from lmcache.v1.config import LMCacheEngineConfig  # noqa: PLC0415

    engines = getattr(utils, "EngineType", str)  # 0.3.14 takes the names
    hints = {"layout_hints": {}} if release > "0.4.3" else {}

    def made(engine, **chosen):
        config = LMCacheEngineConfig.from_defaults(**chosen)
        return type(CreateGPUConnector(config, metadata(), engines(engine), **hints)).__name__

    assert made("vllm") == "VLLMPagedMemHPUConnectorV2"
    assert made("vllm", use_gpu_connector_v3=True) == "VLLMPagedMemHPUConnectorV3"
    assert made("sglang") == "SGLangHPUConnector"
    assert made("mock") == "MockGPUConnector"
    assert made("vllm", use_layerwise=True) == "VLLMPagedMemLayerwiseHPUConnector"
    blending = made("vllm", use_layerwise=True, enable_blending=True)
    assert blending == "VLLMBufferLayerwiseHPUConnector"
    refused("set use_layerwise to True", lambda: made("vllm", enable_blending=True))


main(globals())
