"""Run as a program, with a ported release first on the path: layers one by one.

layerwise_checks.py CHECK RELEASE
"""

# ruff: noqa: I001  (the device is installed by release_bench, before upstream looks for one)

import random
from dataclasses import replace
from unittest.mock import patch

import torch
from release_bench import CHUNK, DTYPE, PAIR, allocator, found_in, main, refused

import porter.emulator
import kv_reference as ref
from lmcache.hpu import slots
from lmcache.hpu.connectors.layerwise import VLLMPagedMemLayerwiseHPUConnector
from lmcache.hpu.kv_views import layer_view
from lmcache.hpu.transfer import Group
from lmcache.v1.memory_management import MemoryFormat

LAYERS = 4


def made(use_mla=False, layers=LAYERS, block_size=None):
    named = {"chunk_size": CHUNK, "dtype": DTYPE, "device": "hpu", "block_size": block_size}
    return VLLMPagedMemLayerwiseHPUConnector(
        ref.WIDTH, layers, use_gpu=True, use_mla=use_mla, **named
    )


class Paged:
    """An engine's caches on the device, and what they should hold on the CPU."""

    def __init__(self, layout=PAIR, dtype=DTYPE, layers=LAYERS):
        self.layout, self.dtype = layout, dtype
        self.layers = [layout.make(dtype) for _ in range(layers)]
        self.caches = [layout.on_device(tensors) for tensors in self.layers]

    def parts(self, layer):
        cache = self.caches[layer]
        parts = [cache] if isinstance(cache, torch.Tensor) else cache
        return list(zip(self.layers[layer], parts, strict=False))

    def check(self):
        for layer in range(len(self.layers)):
            assert all(ref.same_bits(one, other.cpu()) for one, other in self.parts(layer)), layer

    def compute(self, layer, slots):
        """A model's keys and values, written on the stream that is current."""
        live = [slot for slot in slots if slot >= 0]
        view = layer_view(self.caches[layer], self.layout.block_size)
        for number, plane in enumerate(view.planes):
            fresh = ref.random_bits(len(live), ref.WIDTH, dtype=self.dtype)
            for slot, row in zip(live, fresh, strict=True):
                self.layout.row(self.layers[layer], number, slot).copy_(row)
            rows = ids_of(plane, live).to("hpu")
            bits = as_bits(plane.units(1).squeeze(1))
            bits.index_copy_(0, rows, as_bits(fresh).to("hpu"))

    def attend(self, layer, slots):
        """What a model reads of these slots on the stream that is current, by plane."""
        live = [slot for slot in slots if slot >= 0]
        view = layer_view(self.caches[layer], self.layout.block_size)
        return [
            as_bits(plane.units(1).squeeze(1)).index_select(0, ids_of(plane, live).to("hpu"))
            for plane in view.planes
        ]


def ids_of(plane, slots):
    rows = [(s // ref.BLOCK * plane.every + plane.at) * ref.BLOCK + s % ref.BLOCK for s in slots]
    return torch.tensor(rows, dtype=torch.int64)


def as_bits(tensor):
    return tensor.view(torch.uint8) if tensor.dtype.itemsize == 1 else tensor


class Prompt:
    """The objects of a prompt by layer, with random bits, and where its tokens lie."""

    def __init__(self, connector, paged, release, rng, blocks, slots=None):
        self.connector, self.paged, self.rng = connector, paged, rng
        self.slots = slots or self._slots(blocks)
        starts = range(0, len(self.slots), CHUNK)
        self.spans = [(start, min(start + CHUNK, len(self.slots))) for start in starts]
        form = MemoryFormat.KV_MLA_FMT if connector.use_mla else MemoryFormat.KV_T2D
        memory = allocator(release)
        self.objects = [
            [
                memory.allocate(connector.get_shape(end - start), paged.dtype, fmt=form)
                for start, end in self.spans
            ]
            for _ in paged.layers
        ]
        for item in (item for of_layer in self.objects for item in of_layer):
            item.tensor.copy_(ref.random_bits(*item.tensor.shape, dtype=paged.dtype))

    def _slots(self, blocks):
        """Blocks in their order; some prompts begin in the middle of one, some have holes."""
        slots = [block * ref.BLOCK + offset for block in blocks for offset in range(ref.BLOCK)]
        first = self.rng.choice([0, self.rng.randrange(ref.BLOCK)])
        slots = slots[first : self.rng.randrange(first + 1, len(slots) + 1)]
        holes = self.rng.choice([0.0, 0.2])
        return [-1 if self.rng.random() < holes else slot for slot in slots]

    def given(self, sync):
        mapping = torch.tensor(self.slots, dtype=torch.int64)
        starts, ends = ([span[i] for span in self.spans] for i in (0, 1))
        more = {"kvcaches": self.paged.caches, "slot_mapping": mapping, "sync": sync}
        return (starts, ends), more

    def expect(self, layer, slots, to_host):
        """Do to the CPU's cache what is done to the device's; or return what objects become."""
        expected = [item.tensor.clone() for item in self.objects[layer]]
        for (start, end), tensor in zip(self.spans, expected, strict=True):
            planes = (tensor[:, None] if tensor.dim() == 2 else tensor).transpose(0, 1)
            paged = self.paged
            ref.copy(paged.layout, [paged.layers[layer]], planes, slots[start:end], to_host)
        return expected


def loading(prompt, sync=True):
    """As the engine: resumed once a layer, behind the objects of the next and before attention."""
    bounds, more = prompt.given(sync)
    cached = prompt.rng.choice([0, prompt.rng.randrange(len(prompt.slots) + 1)])
    slots = [-1] * cached + prompt.slots[cached:]
    generator = prompt.connector.batched_to_gpu(*bounds, vllm_cached_tokens=cached, **more)
    layers = len(prompt.objects)
    for layer in range(layers):
        prompt.paged.compute(layer, prompt.slots)  # of whoever had the blocks before
    next(generator)
    generator.send(prompt.objects[0])
    yield
    read = []
    for layer in range(layers):
        prompt.expect(layer, slots, to_host=False)
        if layer + 1 < layers:
            generator.send(prompt.objects[layer + 1])
        else:
            next(generator)
        yield
        if sync:
            read.append(prompt.paged.attend(layer, slots))
    for of_layer in prompt.objects:
        for item in of_layer:
            item.tensor.zero_()  # nothing reads them any more
    assert not list(generator)
    for layer, planes in enumerate(read):
        live = [slot for slot in slots if slot >= 0]
        for number, plane in enumerate(planes):
            row = prompt.paged.layout.row
            for slot, found in zip(live, plane.cpu(), strict=True):
                wanted = row(prompt.paged.layers[layer], number, slot)
                assert ref.same_bits(as_bits(wanted), found), (layer, slot)


def storing(prompt, sync=True):
    """As the engine: resumed behind the computation of a layer; it hands objects on one later."""
    bounds, more = prompt.given(sync)
    generator = prompt.connector.batched_from_gpu(prompt.objects, *bounds, **more)
    complete = []
    for layer in range(len(prompt.objects)):
        prompt.paged.compute(layer, prompt.slots)
        yield
        complete.append(prompt.expect(layer, prompt.slots, to_host=True))
        next(generator)
        if layer:
            check(prompt.objects[layer - 1], complete[layer - 1])
        yield
    next(generator)
    check(prompt.objects[-1], complete[-1])
    assert not list(generator)


def check(objects, expected):
    for item, tensor in zip(objects, expected, strict=True):
        assert ref.same_bits(item.tensor, tensor)


def run(generator):
    for _ in generator:
        pass


def references(release):
    """Either direction, dtypes, layouts, lengths, slots below zero, blocks out of order."""
    dtypes = [torch.bfloat16, torch.float8_e4m3fn, torch.uint8, torch.float32]
    for layout in ref.LAYOUTS:
        for seed in range(12):
            rng = random.Random(seed)
            torch.manual_seed(seed)
            connector = made(layout.planes == 1, block_size=layout.block_size)
            paged = Paged(layout, dtypes[seed % len(dtypes)])
            for direction in (storing, loading):
                blocks = rng.sample(range(ref.BLOCKS), rng.randrange(1, ref.BLOCKS + 1))
                run(direction(Prompt(connector, paged, release, rng, blocks)))
                paged.check()
            assert connector.gpu_buffer_allocator.memcheck()


def several(release):
    """Loads and stores of several prompts of one step, which take turns at random."""
    for seed in range(30):
        rng, connector, paged = random.Random(seed), made(), Paged()
        torch.manual_seed(seed)
        blocks = rng.sample(range(ref.BLOCKS), ref.BLOCKS)
        runs = []
        for part in (blocks[:3], blocks[3:5], blocks[5:]):
            prompt = Prompt(connector, paged, release, rng, part)
            runs.append(rng.choice([loading, storing])(prompt, sync=rng.random() < 0.7))
        while runs:
            turn = rng.choice(runs)
            if next(turn, turn) is turn:
                runs.remove(turn)
        paged.check()
        assert connector.gpu_buffer_allocator.memcheck()


def as_one_step(release):
    """Prompts of a step, of which the last alone asks for ``sync``, as upstream's adapter does."""
    connector, paged, rng = made(), Paged(), random.Random(0)
    blocks = list(range(ref.BLOCKS))
    parts = (blocks[:3], blocks[3:5], blocks[5:])
    prompts = [Prompt(connector, paged, release, rng, part) for part in parts]
    loads = [
        connector.batched_to_gpu(*bounds, **more)
        for bounds, more in (each.given(each is prompts[-1]) for each in prompts)
    ]
    for load, prompt in zip(loads, prompts, strict=True):
        next(load)
        load.send(prompt.objects[0])
    for layer in range(LAYERS):
        for load, prompt in zip(loads, prompts, strict=True):
            prompt.expect(layer, prompt.slots, to_host=False)
            if layer + 1 < LAYERS:
                load.send(prompt.objects[layer + 1])
            else:
                next(load)
        for one, other in paged.parts(layer):
            assert ref.same_bits(one, other.cpu())


def let_go(release):
    """A load or a store that is given up in the middle leaves nothing under way."""
    for direction in (loading, storing):
        connector, paged = made(), Paged()
        turn = direction(Prompt(connector, paged, release, random.Random(3), [4, 2, 6]))
        for _ in range(3):
            next(turn)
        assert not connector.gpu_buffer_allocator.memcheck()
        turn.close()
        assert connector.gpu_buffer_allocator.memcheck()


def references_of_objects(release):
    """They are held while the device reads them: the engine lets go at the last ``send``."""
    connector, paged = made(), Paged()
    prompt = Prompt(connector, paged, release, random.Random(1), [0, 1, 2])
    counts = []
    for item in (item for of_layer in prompt.objects for item in of_layer):
        item.ref_count_up = lambda: counts.append(1)
        item.ref_count_down = lambda: counts.append(-1)
    bounds, more = prompt.given(True)
    load = connector.batched_to_gpu(*bounds, **more)
    next(load)
    for of_layer in prompt.objects:
        load.send(of_layer)
    assert sum(counts) == sum(map(len, prompt.objects))
    next(load)
    assert sum(counts) == 0


def faults(release):
    """What is left out below shows, by a report of the sanitizer or by wrong bits."""
    stream, event = torch.hpu.Stream, torch.hpu.Event
    for direction, dropped, rule in (
        (loading, (stream, "wait_event"), "stream-race"),
        (loading, (stream, "wait_stream"), "stream-race"),
        (storing, (stream, "wait_stream"), "stream-race"),
        (loading, (event, "synchronize"), "overwritten-in-flight"),
        (storing, (event, "synchronize"), "read-in-flight"),
    ):
        with patch.object(*dropped, lambda *_: None):
            assert rule in reported(release, direction), (direction, dropped)
    with patch.object(Group, "of", values_first):
        assert "wrong bits" in reported(release, loading)
        assert "wrong bits" in reported(release, storing)
    repeat = slots.np.repeat
    with patch.object(slots.np, "repeat", lambda last, count: repeat(last * 0, count)):
        assert "wrong bits" in reported(release, loading)


def values_first(views, token_major=False, of=Group.of):
    group = of(views, token_major)
    return replace(group, planes=group.planes[::-1])


def reported(release, direction):
    """What is found when a whole object and some tokens take ``direction``."""
    paged = Paged()
    slots = [block * ref.BLOCK + offset for block in (1, 4, 6) for offset in range(ref.BLOCK)]
    prompt = Prompt(made(), paged, release, random.Random(1), [], slots[:-1])

    def checked():
        run(direction(prompt))
        paged.check()

    return found_in(checked, AssertionError)


def refusals(release):
    connector, paged = made(), Paged()
    prompt = Prompt(connector, paged, release, random.Random(2), [0, 1])
    bounds, more = prompt.given(True)
    for missing in ("sync", "slot_mapping", "kvcaches"):
        given = {name: value for name, value in more.items() if name != missing}
        refused(
            f"'{missing}' must be given",
            lambda given=given: next(made().batched_to_gpu(*bounds, **given)),
        )
        refused(
            f"'{missing}' must be given",
            lambda given=given: next(made().batched_from_gpu(prompt.objects, *bounds, **given)),
        )
    prompt.objects[0][0].metadata.fmt = MemoryFormat.KV_2TD
    load = connector.batched_to_gpu(*bounds, **more)
    next(load)
    refused("in KV_2TD where KV_T2D is needed", lambda: load.send(prompt.objects[0]))


def budget(release):
    """Of a load: a graph for each move and layer, one wait; of a store: a wait for each layer."""
    layers, blocks, chunk = 3, 128, 2 * ref.BLOCK
    named = {"chunk_size": chunk, "dtype": DTYPE, "device": "hpu"}
    connector = VLLMPagedMemLayerwiseHPUConnector(ref.WIDTH, layers, **named)
    shape = (blocks, ref.BLOCK, ref.HEADS, ref.HEAD)
    caches = [
        tuple(torch.zeros(shape, dtype=DTYPE, device="hpu") for _ in range(2))
        for _ in range(layers)
    ]
    token_bytes, memory = 2 * ref.WIDTH * DTYPE.itemsize, allocator(release)
    for to_host in (False, True):
        rng = random.Random(to_host)
        with porter.emulator.record() as everything:
            for number in range(1000):
                tokens = 64 * chunk if not number else rng.randrange(1, blocks * ref.BLOCK + 1)
                order = rng.sample(range(blocks), blocks)
                slots = [b * ref.BLOCK + offset for b in order for offset in range(ref.BLOCK)]
                mapping = torch.tensor(slots[:tokens])
                spans = [(s, min(s + chunk, tokens)) for s in range(0, tokens, chunk)]
                bounds = [start for start, _ in spans], [end for _, end in spans]
                objects = [
                    memory.allocate(connector.get_shape(end - start), DTYPE, MemoryFormat.KV_T2D)
                    for start, end in spans
                ]
                given = {"kvcaches": caches, "slot_mapping": mapping, "sync": True}
                with porter.emulator.record() as recording:
                    if to_host:
                        run(connector.batched_from_gpu([objects] * layers, *bounds, **given))
                    else:
                        load = connector.batched_to_gpu(*bounds, **given)
                        next(load)
                        for _ in range(layers):
                            load.send(objects)
                        run(load)
                whole, rest = divmod(tokens, chunk)
                moves = whole // 64 + whole % 64 // 8 + whole % 8 + rest // ref.BLOCK
                moves += bool(rest % ref.BLOCK)
                assert recording.syncs == (layers if to_host else 1), recording.waits
                if porter_is_lazy():
                    assert recording.launches == layers * moves, (recording.launches, moves)
                data = recording.copies["d2h" if to_host else "h2d"].bytes
                ids = 0 if to_host else 8 * (2 * whole + ref.BLOCK)
                assert data <= layers * (tokens + ref.BLOCK) * token_bytes + ids
        if porter_is_lazy():
            assert everything.graphs <= 5, everything.graphs
            assert everything.graphs_with_offsets <= 5, everything.graphs_with_offsets


def porter_is_lazy():
    from habana_frameworks.torch.utils.internal import is_lazy  # noqa: PLC0415

    return is_lazy()


main(globals())
