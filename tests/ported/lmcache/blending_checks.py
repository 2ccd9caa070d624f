"""Run as a program, with a ported release first on the path: layers by way of a buffer.

blending_checks.py CHECK RELEASE
"""

# ruff: noqa: I001  (the device is installed by release_bench, before upstream looks for one)

import random
from functools import partial
from unittest.mock import patch

import torch
from release_bench import PAIR, allocator, found_in, main, refused

import porter.emulator
import kv_reference as ref
from lmcache.hpu import slots
from lmcache.hpu.connectors.blending import VLLMBufferLayerwiseHPUConnector
from lmcache.hpu.rope import rotary_embedding_k_fused
from lmcache.v1.memory_management import MemoryFormat

LAYERS = 4
LIVE = ref.BLOCKS * ref.BLOCK
ANGLES = torch.rand(256, ref.HEAD // 2, generator=torch.Generator().manual_seed(0))
COS_SIN = torch.cat((ANGLES.cos(), ANGLES.sin()), -1)


def made(release, dtype):
    if release < "0.4":
        named = {"chunk_size": 8, "dtype": dtype, "device": "hpu"}
        connector = VLLMBufferLayerwiseHPUConnector(ref.WIDTH, LAYERS, use_gpu=True, **named)
    else:
        from lmcache.v1.metadata import LMCacheMetadata  # noqa: PLC0415

        shape = (LAYERS, 2, 8, ref.HEADS, ref.HEAD)
        metadata = LMCacheMetadata("m", 1, 1, 0, 0, dtype, shape, chunk_size=8)
        connector = VLLMBufferLayerwiseHPUConnector.from_metadata(metadata, True, "hpu")
    table = COS_SIN.to(dtype).to("hpu")
    connector.fused_rotary_emb = lambda old, new, key: turned(old, new, key, table)
    return connector


def turned(old, new, key, table):
    by_head = key.view(-1, ref.HEADS, ref.HEAD)
    rotary_embedding_k_fused(old, new, by_head, ref.HEAD, table, True)
    return key


class Prompt:
    """Chunks with spaces between some of them, computed at other positions; and their caches."""

    def __init__(self, release, seed, dtype):
        self.rng = rng = random.Random(seed)
        torch.manual_seed(seed)
        self.dtype, self.connector = dtype, made(release, dtype)
        self.layers = [PAIR.make(dtype) for _ in range(LAYERS)]
        self.caches = [PAIR.on_device(tensors) for tensors in self.layers]
        self.spans = self._spans()
        self.length = self.spans[-1][1]
        blocks = rng.sample(range(ref.BLOCKS), ref.BLOCKS)
        mapping = [block * ref.BLOCK + offset for block in blocks for offset in range(ref.BLOCK)]
        holes = rng.choice([0.0, 0.0, 0.2])
        self.slots = [-1 if rng.random() < holes else slot for slot in mapping[: self.length]]
        self.moved = rng.random() < 0.8
        self.old = {start: rng.randrange(64) if self.moved else start for start, _ in self.spans}
        memory = allocator(release)
        self.objects = [
            [
                memory.allocate(self._shape(span), dtype, fmt=MemoryFormat.KV_2TD)
                for span in self.spans
            ]
            for _ in range(LAYERS)
        ]
        for of_layer in self.objects:
            for (start, end), item in zip(self.spans, of_layer, strict=True):
                item.tensor.copy_(torch.randn(item.tensor.shape))
                where = self.old[start]
                item.metadata.cached_positions = torch.arange(where, where + end - start)

    def _shape(self, span):
        return self.connector.get_shape(span[1] - span[0])

    def _spans(self):
        reached, spans = self.rng.choice([0, ref.BLOCK, 3]), []
        while not spans or self.rng.random() < 0.6:
            space = self.rng.choice([0, 0, 2])
            size = self.rng.choice([1, 3, ref.BLOCK, 2 * ref.BLOCK])
            if reached + space + size > LIVE:
                break
            spans.append((reached + space, reached + space + size))
            reached = spans[-1][1]
        return spans

    def given(self, **more):
        starts, ends = ([span[i] for span in self.spans] for i in (0, 1))
        mapping = torch.tensor(self.slots, dtype=torch.int64)
        return (starts, ends), {"kvcaches": self.caches, "slot_mapping": mapping, **more}

    def buffer(self, layer):
        """What it should hold, token by token."""
        first = self.spans[0][0]
        expected = torch.zeros(2, self.length - first, ref.WIDTH, dtype=self.dtype)
        table = COS_SIN.to(self.dtype)
        for (start, end), item in zip(self.spans, self.objects[layer], strict=True):
            for token in range(start, end):
                key, value = item.tensor[:, token - start].clone()
                if self.moved:
                    old = torch.tensor([self.old[start] + token - start])
                    turned(old, torch.tensor([token]), key[None], table)
                expected[0, token - first], expected[1, token - first] = key, value
        return expected


def loading(prompt):
    """As the engine and the blender: resumed once a layer, and mixed before it is once more."""
    cached = prompt.rng.choice([0, prompt.rng.randrange(prompt.length + 1)])
    bounds, more = prompt.given(vllm_cached_tokens=cached)
    generator = prompt.connector.batched_to_gpu(*bounds, **more)
    first = prompt.spans[0][0]
    scattered = [-1] * cached + prompt.slots[cached:]
    read = []
    next(generator)
    for layer in range(LAYERS):
        generator.send(prompt.objects[layer])
        expected = prompt.buffer(layer)
        key, value = prompt.connector.get_kv(layer)
        read.append((expected.clone(), torch.stack((key, value))))
        for other in (layer - 1, layer + 1):
            refused("in no buffer", partial(prompt.connector.get_kv, other))
        mixed = prompt.rng.sample(range(len(key)), prompt.rng.randrange(len(key)))
        top = torch.tensor(sorted(mixed), dtype=torch.int64)
        fresh = torch.randn(2, len(top), ref.WIDTH).to(prompt.dtype)
        for tensor, new in zip((key, value), fresh.to("hpu"), strict=True):
            tensor[top.to("hpu")] = new
        expected[:, top] = fresh
        ref.copy(PAIR, [prompt.layers[layer]], expected, scattered[first:], False)
    next(generator)
    for of_layer in prompt.objects:
        for item in of_layer:
            item.tensor.zero_()  # nothing reads them any more
    assert not list(generator)
    for expected, found in read:
        assert torch.equal(expected, found.cpu())
    for tensors, cache in zip(prompt.layers, prompt.caches, strict=True):
        assert all(
            ref.same_bits(one, other.cpu()) for one, other in zip(tensors, cache, strict=True)
        )


def storing(prompt):
    bounds, more = prompt.given()
    before = [[item.tensor.clone() for item in of_layer] for of_layer in prompt.objects]
    generator = prompt.connector.batched_from_gpu(prompt.objects, *bounds, **more)
    next(generator)
    for objects, expected, tensors in zip(prompt.objects, before, prompt.layers, strict=True):
        next(generator)
        for (start, end), item, tensor in zip(prompt.spans, objects, expected, strict=True):
            ref.copy(PAIR, [tensors], tensor, prompt.slots[start:end], True)
            assert ref.same_bits(item.tensor, tensor)
            assert item.metadata.cached_positions.tolist() == list(range(start, end))
    assert not list(generator)


def references(release):
    """Either direction, lengths, spaces, positions, slots below zero, blocks out of order."""
    for dtype in (torch.float32, torch.bfloat16):
        for seed in range(40):
            prompt = Prompt(release, seed, dtype)
            loading(prompt)
            assert prompt.connector.gpu_buffer_allocator.memcheck()
            prompt = Prompt(release, seed, dtype)
            storing(prompt)
            assert prompt.connector.gpu_buffer_allocator.memcheck()


def budget(release):
    """A wait a load, and three graphs a layer: sent, rotated, scattered."""
    prompt = Prompt(release, 0, torch.bfloat16)
    prompt.slots = list(range(prompt.length))
    bounds, more = prompt.given()
    torch.hpu.synchronize()
    with porter.emulator.record() as recording:
        generator = prompt.connector.batched_to_gpu(*bounds, **more)
        next(generator)
        for of_layer in prompt.objects:
            generator.send(of_layer)
        list(generator)
    assert recording.syncs == 1, recording.waits
    if is_lazy():
        assert recording.launches <= 3 * LAYERS, recording.flushes


def is_lazy():
    from habana_frameworks.torch.utils.internal import is_lazy  # noqa: PLC0415

    return is_lazy()


def faults(release):
    """What is left out below shows, by a report of the sanitizer or by wrong bits."""
    stream, event = torch.hpu.Stream, torch.hpu.Event
    with patch.object(stream, "wait_event", lambda *_: None):
        assert "stream-race" in reported(release)
    waits = []

    def all_but_of_the_load_stream(self, event, wait=stream.wait_event):
        if self.stream_id == torch.hpu.current_stream().stream_id:
            wait(self, event)
        else:
            waits.append(event)

    with patch.object(stream, "wait_event", all_but_of_the_load_stream):
        assert "stream-race" in reported(release)
    assert len(waits) == LAYERS
    with patch.object(event, "synchronize", lambda *_: None):
        assert "overwritten-in-flight" in reported(release)
    begins = slots.block_begins
    with patch.object(slots, "block_begins", lambda *given: ~begins(*given)):
        assert "wrong bits" in reported(release)


def reported(release):
    prompt = Prompt(release, 5, torch.bfloat16)
    return found_in(lambda: loading(prompt), AssertionError, RuntimeError)


def refusals(release):
    prompt = Prompt(release, 0, torch.bfloat16)
    (starts, ends), more = prompt.given()

    def sent(starts=starts, ends=ends, objects=prompt.objects[0]):
        generator = prompt.connector.batched_to_gpu(starts, ends, **more)
        next(generator)
        generator.send(objects)

    refused("overlap", lambda: sent([0, 2], [3, 5]))
    prompt.objects[0][0].metadata.cached_positions = None
    refused("does not know the positions", sent)
    prompt.objects[0][0].metadata.fmt = MemoryFormat.KV_T2D
    refused("in KV_T2D where KV_2TD is needed", sent)
    mla = torch.zeros(2, ref.BLOCK, ref.WIDTH, device="hpu")
    refused("for MLA", lambda: prompt.connector.initialize_kvcaches_ptr(kvcaches=[mla] * LAYERS))
    assert prompt.connector.gpu_buffer_allocator.memcheck()


main(globals())
