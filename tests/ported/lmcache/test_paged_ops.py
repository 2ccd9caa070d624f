"""The names of upstream's extension, called as each release calls them."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the device needs torch")

import kv_reference as ref  # noqa: E402

DTYPE = torch.bfloat16
LAYERS, TOKENS = 3, 11
SLOTS = ref.BLOCKS * ref.BLOCK
BY_NAME = {layout.name: layout for layout in ref.LAYOUTS}

pytestmark = pytest.mark.usefixtures("silent")


class Ops:
    """Caches and an object on either side, a call, and what a token by token copy makes of it."""

    def __init__(self, hpu: SimpleNamespace, layout: str, layers: int = LAYERS) -> None:
        self.hpu, self.ops = hpu, hpu.paged_ops
        self.layout = BY_NAME[layout]
        self.layers = [self.layout.make(DTYPE) for _ in range(layers)]
        self.caches = [self.layout.on_device(layer) for layer in self.layers]
        rng = random.Random(layout)
        self.slots = rng.sample(range(SLOTS), TOKENS)
        self.slots[4] = -1
        self.mapping = torch.tensor(self.slots, device="hpu")

    def object(self, *shape: int) -> Any:
        return ref.random_bits(*shape, ref.WIDTH, dtype=DTYPE)

    def check(self, call: Any, object: Any, token_major: bool = False, skip: int = 0) -> None:
        """``call(object, to_host)`` in both directions."""
        slots = [-1] * skip + self.slots[skip:]
        for to_host in (True, False):
            expected = object.clone()
            planes = ref.planes_of(expected, token_major)
            ref.copy(self.layout, self.layers, planes, slots, to_host)
            found = object.clone()
            call(found, to_host)
            assert ref.same_bits(expected, found)
            assert self.caches_are_as_expected()

    def caches_are_as_expected(self) -> bool:
        return all(
            ref.same_bits(expected, part.cpu())
            for layer, cache in zip(self.layers, self.caches, strict=True)
            for expected, part in zip(
                layer, [cache] if isinstance(cache, torch.Tensor) else cache, strict=False
            )
        )


@pytest.mark.parametrize("layout", ["pair", "two major", "in turns"])
def test_all_layers(hpu: SimpleNamespace, layout: str) -> None:
    ops = Ops(hpu, layout)
    formats, direction = hpu.layouts.EngineKVFormat, hpu.layouts.TransferDirection
    before_formats = (False,)
    with_format = (formats.NL_X_TWO_X_NB_BS_NH_HS, ref.BLOCK)
    for arguments in (before_formats, with_format):
        ops.check(
            lambda kv, to_host, arguments=arguments: ops.ops.multi_layer_kv_transfer(
                kv, ops.caches, ops.mapping, "hpu", SLOTS, bool(to_host), *arguments
            ),
            ops.object(2, LAYERS, TOKENS),
        )
    ops.check(
        lambda kv, to_host: ops.ops.multi_layer_kv_transfer(
            kv,
            ops.caches,
            ops.mapping,
            "hpu",
            SLOTS,
            direction(int(to_host)),
            engine_kv_format=formats.NL_X_TWO_X_NB_BS_NH_HS,
            block_size=ref.BLOCK,
            head_size=ref.HEAD,
            block_stride_elems=0,
            skip_prefix_n_tokens=5,
        ),
        ops.object(2, LAYERS, TOKENS),
        skip=5,
    )


def test_all_layers_of_mla(hpu: SimpleNamespace) -> None:
    ops = Ops(hpu, "MLA")
    for layout in (True, hpu.layouts.EngineKVFormat.NL_X_NB_BS_HS):
        ops.check(
            lambda kv, to_host, layout=layout: ops.ops.multi_layer_kv_transfer(
                kv, ops.caches, ops.mapping, "hpu", SLOTS, to_host, layout
            ),
            ops.object(1, LAYERS, TOKENS),
        )


def test_flat_caches(hpu: SimpleNamespace) -> None:
    ops = Ops(hpu, "two major")
    flat = [cache.view(2, SLOTS, ref.WIDTH) for cache in ops.caches]
    ops.check(
        lambda kv, to_host: ops.ops.multi_layer_kv_transfer(
            kv, flat, ops.mapping, "hpu", SLOTS, to_host, False
        ),
        ops.object(2, LAYERS, TOKENS),
    )
    mla = Ops(hpu, "MLA")
    flat = [cache.view(SLOTS, ref.WIDTH) for cache in mla.caches]
    mla.check(
        lambda kv, to_host: mla.ops.multi_layer_kv_transfer(
            kv, flat, mla.mapping, "hpu", SLOTS, to_host, True
        ),
        mla.object(1, LAYERS, TOKENS),
    )


def test_addresses(hpu: SimpleNamespace) -> None:
    ops = Ops(hpu, "two major")
    torch.hpu.synchronize()
    addresses = torch.tensor([cache.data_ptr() for cache in ops.caches])
    call = ops.ops.multi_layer_kv_transfer
    kv = ops.object(2, LAYERS, TOKENS)
    with pytest.raises(ValueError, match="pass the caches themselves"):
        call(kv, addresses, ops.mapping, "hpu", SLOTS, True, False)
    views = [hpu.kv_views.remember(c.data_ptr(), hpu.kv_views.layer_view(c)) for c in ops.caches]
    ops.check(
        lambda kv, to_host: call(kv, addresses, ops.mapping, "hpu", SLOTS, to_host, False), kv
    )
    assert len(views) == LAYERS


def test_keys_of_all_layers_and_then_values(hpu: SimpleNamespace) -> None:
    ops = Ops(hpu, "pair")
    caches = [cache[kind] for kind in (0, 1) for cache in ops.caches]
    flat = [cache.view(SLOTS, -1) for cache in caches]
    by_heads = [cache.view(SLOTS, ref.HEADS, -1) for cache in caches]
    for given, layout in (
        (flat, False),
        (flat, hpu.layouts.EngineKVFormat.TWO_X_NL_X_NBBS_NH_HS),
        (by_heads, False),
    ):
        ops.check(
            lambda kv, to_host, given=given, layout=layout: (
                ops.ops.multi_layer_kv_transfer_unilateral(
                    kv, given, ops.mapping, "hpu", SLOTS, to_host, layout
                )
            ),
            ops.object(2, LAYERS, TOKENS),
        )


@pytest.mark.parametrize("token_major", [False, True], ids=["two major", "token major"])
@pytest.mark.parametrize("layout", ["pair", "two major", "in turns"])
def test_one_layer(hpu: SimpleNamespace, layout: str, token_major: bool) -> None:
    ops = Ops(hpu, layout, layers=1)
    formats = hpu.layouts.EngineKVFormat
    shape = (TOKENS, 2) if token_major else (2, TOKENS)
    for arguments, named in (
        ((token_major, layout == "two major"), {}),
        ((token_major, layout == "two major", False), {}),
        ((formats.NL_X_TWO_NB_BS_NH_HS,), {"token_major": token_major}),
        ((formats.NL_X_TWO_NB_BS_NH_HS, token_major), {}),
    ):
        ops.check(
            lambda kv, to_host, arguments=arguments, named=named: ops.ops.single_layer_kv_transfer(
                kv, ops.caches[0], ops.mapping, to_host, *arguments, **named
            ),
            ops.object(*shape),
            token_major,
        )


def test_one_layer_of_mla(hpu: SimpleNamespace) -> None:
    ops = Ops(hpu, "MLA", layers=1)
    kv = ops.object(1, TOKENS)
    for token_major in (False, True):
        ops.check(
            lambda kv, to_host, token_major=token_major: ops.ops.single_layer_kv_transfer(
                kv[0], ops.caches[0], ops.mapping, to_host, token_major, False, True
            ),
            kv,
        )


def test_one_layer_with_keys_and_values_apart(hpu: SimpleNamespace) -> None:
    ops = Ops(hpu, "pair", layers=1)
    key, value = ops.caches[0]
    ops.check(
        lambda kv, to_host: ops.ops.single_layer_kv_transfer_sgl(
            kv, key, value, ops.mapping, to_host, token_major=True
        ),
        ops.object(TOKENS, 2),
        token_major=True,
    )


def test_one_layer_of_an_object_of_all(hpu: SimpleNamespace) -> None:
    ops = Ops(hpu, "pair", layers=1)
    key, value = ops.caches[0]

    def call(kv: Any, to_host: bool) -> None:
        of_all = torch.zeros(2, LAYERS, TOKENS, ref.WIDTH, dtype=DTYPE)
        of_all[:, 1] = kv
        run = ops.ops.load_and_reshape_flash if to_host else ops.ops.reshape_and_cache_back_flash
        run(of_all, key, value, ops.mapping, 1)
        kv.copy_(of_all[:, 1])
        assert not of_all[:, [0, 2]].any()

    ops.check(call, ops.object(2, TOKENS))


@pytest.mark.parametrize("skipped", [0, 1, 3])
def test_blocks(hpu: SimpleNamespace, skipped: int) -> None:
    """Five blocks in objects of two; the last is half full and one block is not there."""
    ops = Ops(hpu, "pair")
    chunk, blocks = 2 * ref.BLOCK, [5, 2, -1, 6, 0]
    shape, objects = SimpleNamespace(bs=ref.BLOCK), [ops.object(2, LAYERS, chunk) for _ in range(3)]
    slots = [
        -1 if block < 0 or number < skipped else block * ref.BLOCK + offset
        for number, block in enumerate(blocks)
        for offset in range(ref.BLOCK)
    ]
    for to_host in (True, False):
        expected, found = [[o.clone() for o in objects] for _ in range(2)]
        for number, tensor in enumerate(expected):
            part = slots[number * chunk : (number + 1) * chunk]
            ref.copy(ops.layout, ops.layers, ref.planes_of(tensor, False), part, to_host)
        ops.ops.multi_layer_block_kv_transfer(
            ops.caches,
            found,
            torch.tensor(blocks),
            "hpu",
            hpu.layouts.TransferDirection(int(to_host)),
            shape,
            chunk,
            hpu.layouts.EngineKVFormat.NL_X_TWO_X_NB_BS_NH_HS,
            skipped,
        )
        assert all(map(ref.same_bits, expected, found))
        assert ops.caches_are_as_expected()


def test_blocks_of_lists_of_keys_and_of_values(hpu: SimpleNamespace) -> None:
    ops = Ops(hpu, "pair")
    lists = [[cache[kind] for cache in ops.caches] for kind in (0, 1)]
    kv = ops.object(2, LAYERS, ref.BLOCK)
    expected = kv.clone()
    slots = range(3 * ref.BLOCK, 4 * ref.BLOCK)
    ref.copy(ops.layout, ops.layers, ref.planes_of(expected, False), slots, True)
    formats = hpu.layouts.EngineKVFormat
    arguments = ("hpu", 1, SimpleNamespace(bs=ref.BLOCK), ref.BLOCK)
    for caches in (lists, [*lists[0], *lists[1]]):
        found = kv.clone()
        ops.ops.multi_layer_block_kv_transfer(
            caches, [found], [3], *arguments, formats.TWO_X_NL_X_NB_BS_NH_HS, 0
        )
        assert ref.same_bits(expected, found)


def test_blocks_need_objects_that_hold_them(hpu: SimpleNamespace) -> None:
    ops = Ops(hpu, "pair")
    call, rest = ops.ops.multi_layer_block_kv_transfer, (hpu.layouts.EngineKVFormat(16), 0)
    shape = SimpleNamespace(bs=ref.BLOCK)
    with pytest.raises(TypeError, match="pass the objects"):
        call(ops.caches, [12345], [1], "hpu", 1, shape, ref.BLOCK, *rest)
    kv = ops.object(2, LAYERS, ref.BLOCK)
    with pytest.raises(ValueError, match="6 tokens is no number of blocks of 4"):
        call(ops.caches, [kv], [1], "hpu", 1, shape, 6, *rest)
    with pytest.raises(ValueError, match="1 objects do not hold 8 tokens"):
        call(ops.caches, [kv], [1, 2], "hpu", 1, shape, ref.BLOCK, *rest)
    with pytest.raises(ValueError, match="2 is not a valid TransferDirection"):
        ops.ops.single_layer_kv_transfer(kv[:, 0], ops.caches[0], ops.mapping[:4], 2, False)


@pytest.mark.parametrize("lazy", [True, False], ids=["lazy", "eager"])
def test_in_either_mode(child: Any, hpu: SimpleNamespace, lazy: bool) -> None:
    """The bridge fixes its mode when it is imported, so each has a process of its own."""
    folder = hpu.steps.__file__.rpartition("/lmcache/")[0]
    out = child(
        """
        from lmcache.hpu import paged_ops
        from porter.emulator import record, reports
        caches = [tuple(torch.randn(6, 4, 2, 4).to("hpu") for _ in range(2)) for _ in range(2)]
        slots = torch.tensor([8, 9, 10, 11, 4, 5])
        kv = torch.zeros(2, 2, 6, 8)
        with record() as recording:
            paged_ops.multi_layer_kv_transfer(kv, caches, slots, "hpu", 24, True)
        for kind in (0, 1):
            for layer in (0, 1):
                assert torch.equal(kv[kind, layer], caches[layer][kind].cpu().view(24, 8)[slots])
        print(recording.syncs, dict(recording.flushes), len(reports()))
        """,
        folder,
        PT_HPU_LAZY_MODE=str(int(lazy)),
    )
    cut = "'mark_step': 2" if lazy else "'eager op': 10"
    assert out == f"1 {{{cut}}} 0\n"
