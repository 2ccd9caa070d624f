"""Blocks and tokens between the paged cache and memory objects, against a token by token copy."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the device needs torch")

import kv_reference as ref  # noqa: E402

from porter.emulator import record  # noqa: E402

DTYPES = [torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2, torch.uint8, torch.float32]
CHUNK = 2 * ref.BLOCK
LIVE = ref.BLOCKS * ref.BLOCK

pytestmark = pytest.mark.usefixtures("silent")


def in_order(rng: random.Random, tokens: int) -> list[int]:
    return list(range(tokens))


def unordered_blocks(rng: random.Random, tokens: int) -> list[int]:
    blocks = rng.sample(range(ref.BLOCKS), ref.BLOCKS)
    return [block * ref.BLOCK + offset for block in blocks for offset in range(ref.BLOCK)][:tokens]


def out_of_step(rng: random.Random, tokens: int) -> list[int]:
    """The first token lies inside a block, so objects and blocks do not begin together."""
    first = rng.randrange(1, ref.BLOCK)
    return unordered_blocks(rng, tokens + first)[first:]


def scattered(rng: random.Random, tokens: int) -> list[int]:
    return rng.sample(range(LIVE), tokens)


def with_holes(rng: random.Random, tokens: int) -> list[int]:
    return [slot if rng.random() < 0.8 else -1 for slot in unordered_blocks(rng, tokens)]


def prefix_cached(rng: random.Random, tokens: int) -> list[int]:
    cached = rng.randrange(tokens + 1)
    return [-1] * cached + unordered_blocks(rng, tokens)[cached:]


def duplicates(rng: random.Random, tokens: int) -> list[int]:
    blocks = [rng.randrange(2) for _ in range(tokens)]
    return [block * ref.BLOCK + offset for block in blocks for offset in range(ref.BLOCK)][:tokens]


def nothing(rng: random.Random, tokens: int) -> list[int]:
    return [-1] * tokens


SCENARIOS = [
    in_order,
    unordered_blocks,
    out_of_step,
    scattered,
    with_holes,
    prefix_cached,
    duplicates,
    nothing,
]


class Case:
    """Caches of some layers and the objects of one prompt, on the CPU, with random bits."""

    def __init__(self, hpu: SimpleNamespace, layout: ref.Layout, dtype: Any, seed: int) -> None:
        self.rng = random.Random(seed)
        torch.manual_seed(seed)
        self.hpu, self.layout, self.dtype = hpu, layout, dtype
        self.format = self.rng.choice(["KV_2LTD", "KV_T2D", "KV_2TD"])
        self.token_major = self.format == "KV_T2D"
        layers = 3 if self.format == "KV_2LTD" else 1
        self.layers = [layout.make(dtype) for _ in range(layers)]
        self.tokens = self.rng.randrange(1, 5 * ref.BLOCK + 1)
        starts = range(0, self.tokens, CHUNK)
        self.spans = [(start, min(start + CHUNK, self.tokens)) for start in starts]
        self.objects = [self._object(end - start) for start, end in self.spans]

    def _object(self, tokens: int) -> Any:
        planes = self.layout.planes
        shape = {
            "KV_2LTD": (planes, len(self.layers), tokens, ref.WIDTH),
            "KV_T2D": (tokens, planes, ref.WIDTH),
            "KV_2TD": (planes, tokens, ref.WIDTH),
        }[self.format]
        return ref.random_bits(*shape, dtype=self.dtype)

    def expect(self, slots: list[int], to_host: bool) -> None:
        """Do to the CPU's caches and objects what the device has to do."""
        for (start, end), tensor in zip(self.spans, self.objects, strict=True):
            planes = ref.planes_of(tensor, self.token_major)
            ref.copy(self.layout, self.layers, planes, slots[start:end], to_host)

    def run(self, slots: list[int], to_host: bool) -> tuple[list[Any], list[Any]]:
        """The device's caches and the objects, afterwards."""
        caches = [self.layout.on_device(layer) for layer in self.layers]
        objects = [tensor.clone() for tensor in self.objects]
        views = self.hpu.kv_views.kv_views(caches, self.layout.block_size)
        group = self.hpu.transfer.Group.of(views, self.token_major)
        plan = self.hpu.slots.plan(
            self.hpu.slots.on_cpu(slots),
            self.spans,
            ref.BLOCK,
            views[0].num_slots,
            writes=not to_host,
            chunk_size=self.rng.choice([None, CHUNK]),
            together=self.rng.choice([1, 2, 8]),
        )
        run = self.hpu.transfer.store if to_host else self.hpu.transfer.load
        run(plan, [group], [(tensor,) for tensor in objects]).land()
        return caches, objects


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("layout", ref.LAYOUTS, ids=lambda layout: layout.name)
@pytest.mark.parametrize("to_host", [False, True], ids=["load", "store"])
def test_every_token_goes_where_it_belongs_and_nothing_else_changes(
    hpu: SimpleNamespace, layout: ref.Layout, dtype: Any, scenario: Any, to_host: bool
) -> None:
    for seed in range(4):
        case = Case(hpu, layout, dtype, seed)
        slots = scenario(case.rng, case.tokens)
        caches, objects = case.run(slots, to_host)
        case.expect(slots, to_host)
        for expected, found in zip(case.objects, objects, strict=True):
            assert ref.same_bits(expected, found), (seed, slots)
        for layer, cache in zip(case.layers, caches, strict=True):
            parts = (cache,) if isinstance(cache, torch.Tensor) else cache
            for expected, part in zip(layer, parts, strict=False):
                assert ref.same_bits(expected, part.cpu()), (seed, slots)


def test_skip_prefix_is_left_alone_in_either_direction(hpu: SimpleNamespace) -> None:
    for skipped in range(3 * ref.BLOCK):
        mapping = hpu.slots.on_cpu(list(range(3 * ref.BLOCK)))
        for writes in (True, False):
            plan = hpu.slots.plan(
                mapping, [(0, 12)], ref.BLOCK, LIVE, writes=writes, skip_prefix=skipped
            )
            assert sorted(moved(plan)) == list(range(skipped, 12))


def moved(plan: Any) -> list[int]:
    """The slots that a plan moves; padding is none."""
    slots = []
    for move in plan.moves:
        ids = move.ids.tolist()
        if move.unit == 1:
            slots += ids[: move.live]
        else:
            slots += [block * move.unit + offset for block in ids for offset in range(move.unit)]
    return slots


def test_padding_repeats_a_token_that_is_moved_anyway(hpu: SimpleNamespace) -> None:
    rng = random.Random(0)
    for scenario in SCENARIOS:
        for tokens in range(1, 5 * ref.BLOCK):
            slots = scenario(rng, tokens)
            plan = hpu.slots.plan(
                hpu.slots.on_cpu(slots), [(0, tokens)], ref.BLOCK, LIVE, writes=True
            )
            padding = 0
            for move in plan.moves:
                if move.unit == 1:
                    padding += move.rows - move.live
                    assert set(move.ids[move.live :].tolist()) <= {int(move.ids[move.live - 1])}
            assert padding < ref.BLOCK
            assert sorted(moved(plan)) == sorted({slot for slot in slots if slot >= 0})


def test_a_slot_of_the_pad_block_is_refused(hpu: SimpleNamespace) -> None:
    flattened = next(layout for layout in ref.LAYOUTS if layout.tail)
    (view,) = hpu.kv_views.kv_views([flattened.on_device(flattened.make(torch.bfloat16))], 4)
    assert view.num_slots == LIVE
    with pytest.raises(ValueError, match=f"slot {LIVE} is none of the cache's {LIVE} live slots"):
        hpu.slots.plan(hpu.slots.on_cpu([LIVE]), [(0, 1)], ref.BLOCK, view.num_slots, writes=False)


def test_objects_that_do_not_fit_are_refused(hpu: SimpleNamespace) -> None:
    pair = ref.LAYOUTS[0]
    cache = pair.on_device(pair.make(torch.bfloat16))
    group = hpu.transfer.Group.of(hpu.kv_views.kv_views([cache]))
    with pytest.raises(ValueError, match="4 planes, 8 wide, does not fit the cache's 2, 8 wide"):
        group.seen(torch.empty(2, 2, 4, 8, dtype=torch.bfloat16))
    with pytest.raises(ValueError, match=r"torch.float32 is none of torch.bfloat16"):
        group.seen(torch.empty(2, 1, 4, 8))


def test_layers_that_differ_are_no_group(hpu: SimpleNamespace) -> None:
    pair, mla = ref.LAYOUTS[0], ref.LAYOUTS[4]
    caches = [layout.on_device(layout.make(torch.bfloat16)) for layout in (pair, mla)]
    with pytest.raises(ValueError, match=r"layer 1 \(MLA, 7 blocks of 4.*cannot be in one group"):
        hpu.transfer.Group.of(hpu.kv_views.kv_views(caches))


@pytest.mark.parametrize("to_host", [False, True], ids=["load", "store"])
def test_objects_on_the_device(hpu: SimpleNamespace, to_host: bool) -> None:
    for seed in range(6):
        case = Case(hpu, ref.LAYOUTS[0], torch.bfloat16, seed)
        slots = out_of_step(case.rng, case.tokens) if seed % 2 else in_order(case.rng, case.tokens)
        on_cpu, case.objects = case.objects, [tensor.to("hpu") for tensor in case.objects]
        caches, objects = case.run(slots, to_host)
        case.objects = on_cpu
        case.expect(slots, to_host)
        for expected, found in zip(case.objects, objects, strict=True):
            assert ref.same_bits(expected, found.cpu())
        for layer, cache in zip(case.layers, caches, strict=True):
            for expected, part in zip(layer, cache, strict=True):
                assert ref.same_bits(expected, part.cpu())


@pytest.mark.parametrize("to_host", [False, True], ids=["load", "store"])
def test_few_graphs_one_wait_and_little_padding(hpu: SimpleNamespace, to_host: bool) -> None:
    """A thousand prompts: graphs by either key of the recorder, waits, and bytes."""
    rng = random.Random(to_host)
    layers, blocks, chunk = 2, 64, 4 * ref.BLOCK
    caches = [
        tuple(torch.zeros(blocks, ref.BLOCK, ref.HEADS, ref.HEAD, device="hpu") for _ in range(2))
        for _ in range(layers)
    ]
    views = hpu.kv_views.kv_views(caches)
    group = hpu.transfer.Group.of(views)
    token_bytes = 2 * layers * ref.WIDTH * 4
    run = hpu.transfer.store if to_host else hpu.transfer.load
    with record() as everything:
        for _ in range(1000):
            tokens = rng.randrange(1, blocks * ref.BLOCK + 1)
            order = rng.sample(range(blocks), blocks)
            mapping = hpu.slots.of_blocks(order, ref.BLOCK)[:tokens]
            spans = [(s, min(s + chunk, tokens)) for s in range(0, tokens, chunk)]
            objects = [(torch.zeros(2, layers, end - start, ref.WIDTH),) for start, end in spans]
            plan = hpu.slots.plan(
                mapping, spans, ref.BLOCK, views[0].num_slots, writes=not to_host, chunk_size=chunk
            )
            with record() as recording:
                run(plan, [group], objects).land()
            ids = sum(len(move.ids) for move in plan.moves) * 8
            data = recording.copies["d2h" if to_host else "h2d"].bytes - (0 if to_host else ids)
            assert data < (tokens + ref.BLOCK) * token_bytes
            assert (recording.syncs, recording.launches) == (1, len(plan.moves))
    assert everything.graphs <= 4
    assert everything.graphs_with_offsets <= 4


@pytest.mark.parametrize(("to_host", "times"), [(False, 1), (True, 2)], ids=["load", "store"])
def test_memory_for_one_move_at_a_time(hpu: SimpleNamespace, to_host: bool, times: int) -> None:
    together, moves = 2, 4
    tokens = together * moves * CHUNK
    shape = (tokens // ref.BLOCK, ref.BLOCK, ref.HEADS, ref.HEAD)
    views = hpu.kv_views.kv_views([tuple(torch.zeros(shape, device="hpu") for _ in range(2))])
    spans = [(start, start + CHUNK) for start in range(0, tokens, CHUNK)]
    mapping = hpu.slots.of_blocks(range(shape[0]), ref.BLOCK)
    plan = hpu.slots.plan(
        mapping, spans, ref.BLOCK, tokens, writes=not to_host, together=together, chunk_size=CHUNK
    )
    assert len(plan.moves) == moves
    objects = [(torch.zeros(2, 1, CHUNK, ref.WIDTH),) for _ in spans]
    run = hpu.transfer.store if to_host else hpu.transfer.load
    torch.hpu.reset_peak_memory_stats()
    before = torch.hpu.memory_allocated()
    run(plan, [hpu.transfer.Group.of(views)], objects).land()
    ids = tokens // ref.BLOCK * 8
    data = together * objects[0][0].nbytes
    assert torch.hpu.max_memory_allocated() - before <= times * data + ids
