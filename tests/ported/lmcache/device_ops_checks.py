"""Run as a program, with a ported release first on the path: its platform layer on the device.

device_ops_checks.py CHECK RELEASE
"""

# ruff: noqa: I001  (the device is installed by release_bench, before upstream looks for one)

import ast
from inspect import signature
from pathlib import Path

import torch
from release_bench import CHUNK, DTYPE, LAYERS, MLA, PAIR, main

import kv_reference as ref
import lmcache
from lmcache.hpu import ops
from lmcache.hpu.device_ops import HpuDeviceOps
from lmcache.hpu.pending import is_pending
from lmcache.v1.platform import resolve_device_ops

BLOCKS = [5, 0, 3, 6, 1, 2]  # three objects of two blocks, in no order
LAYOUTS = {
    "NL_X_TWO_X_NB_BS_NH_HS": PAIR,
    "NL_X_NB_BS_HS": MLA,
    "NL_X_TWO_NB_BS_NH_HS": ref.LAYOUTS[2],
    "NL_X_NB_TWO_BS_NH_HS": ref.LAYOUTS[3],
}
DEVICE = resolve_device_ops("hpu")


def bound(release):
    assert type(DEVICE) is HpuDeviceOps
    for name in ops.__all__:
        value = getattr(ops, name)
        if is_pending(value):
            assert value is not getattr(DEVICE, name, None), name
        elif name != "multi_layer_block_kv_transfer":
            assert getattr(DEVICE, name) is value, name
    # Upstream takes the way of CUDA where one of these is there.
    assert not hasattr(DEVICE, "execute_object_group_transfer")
    assert not hasattr(DEVICE, "execute_direct_copy_transfer")
    if release > "0.5.3":
        from lmcache import lmcache_native  # noqa: PLC0415

        assert lmcache.device_ops is DEVICE
        for name in ("TransferDirection", "EngineKVFormat", "GPUKVFormat", "PageBufferShapeDesc"):
            assert getattr(DEVICE, name) is getattr(lmcache_native, name)


def calls(release):
    """Ours take every call that the release has in its text."""
    seen = set()
    for path in Path(lmcache.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and (name := operation(node.func)) in ops.__all__:
                value = getattr(DEVICE, name, None)
                if value is not None and not isinstance(value, type):
                    keywords = {keyword.arg: keyword for keyword in node.keywords}
                    assert None not in keywords, ast.unparse(node)
                    signature(value).bind(*node.args, **keywords)
                    seen.add(name)
    assert len(seen) > 20, seen


def operation(function):
    """The name of what is called of the operations, by any of upstream's names for them."""
    owner = getattr(function, "value", None)
    known = isinstance(owner, ast.Name) and owner.id.strip("_") in ("device_ops", "lmc_ops")
    return function.attr if known else None


class Caches:
    """A cache of random bits on the device, and beside it on the CPU."""

    def __init__(self, layout):
        self.layout = layout
        self.layers = [layout.make(DTYPE) for _ in range(LAYERS)]
        self.on_device = [layout.on_device(tensors) for tensors in self.layers]
        if layout is MLA:
            self.on_device = [cache.clone() for cache in self.on_device]

    def objects(self, count):
        planes = (LAYERS,) if self.layout.planes == 1 else (2, LAYERS)
        return [ref.random_bits(*planes, CHUNK, ref.WIDTH, dtype=DTYPE) for _ in range(count)]

    def expect(self, objects, blocks, to_host, skip=0):
        """What a copy token by token makes of ``objects``, or of the cache on the CPU."""
        slots = [block * ref.BLOCK + offset for block in blocks for offset in range(ref.BLOCK)]
        slots = [-1] * skip * ref.BLOCK + slots[skip * ref.BLOCK :]
        expected = [one.clone() for one in objects]
        for number, one in enumerate(expected):
            part = slots[number * CHUNK : (number + 1) * CHUNK]
            ref.copy(self.layout, self.layers, ref.planes_of(one, False), part, to_host)
        return expected

    def check(self):
        for tensors, cache in zip(self.layers, self.on_device, strict=True):
            parts = [cache] if isinstance(cache, torch.Tensor) else cache
            for one, other in zip(tensors, parts, strict=True):
                assert ref.same_bits(one, other.cpu())


def blocks(release):
    """The operation itself, in each layout that ours knows, the last object half full."""
    for name, layout in LAYOUTS.items():
        caches = Caches(layout)
        shape = ops.PageBufferShapeDesc()
        shape.kv_size, shape.nl, shape.nb, shape.bs = layout.planes, LAYERS, ref.BLOCKS, ref.BLOCK
        shape.nh, shape.hs = (1, ref.WIDTH) if layout is MLA else (ref.HEADS, ref.HEAD)
        shape.element_size = DTYPE.itemsize
        for ids in (BLOCKS, BLOCKS[:5], torch.tensor(BLOCKS), torch.tensor(BLOCKS, device="hpu")):
            listed = list(map(int, ids))
            for skip, to_host in ((0, True), (0, False), (1, False), (3, False)):
                objects = caches.objects(3)
                expected = caches.expect(objects, listed, to_host, skip)
                direction = ops.TransferDirection.D2H if to_host else ops.TransferDirection.H2D
                DEVICE.multi_layer_block_kv_transfer(
                    caches.on_device,
                    objects,
                    ids,
                    torch.device("hpu"),
                    direction,
                    shape,
                    CHUNK,
                    ops.EngineKVFormat[name],
                    skip,
                )
                torch.hpu.synchronize()
                assert all(map(ref.same_bits, objects, expected))
                caches.check()


def engine_driven(release):
    """What a worker of the multiprocess mode calls to fill chunks and to read them back."""
    from lmcache.v1.multiprocess.transfer_context import base  # noqa: PLC0415

    for layout in (PAIR, MLA):
        caches = Caches(layout)
        named = {f"layers.{number}": cache for number, cache in enumerate(caches.on_device)}
        expected = caches.expect(caches.objects(3), BLOCKS, True)
        chunks = base.gather_paged_kv_to_cpu(named, BLOCKS, 2)
        assert all(map(ref.same_bits, chunks, expected))
        objects = caches.objects(2)
        caches.expect(objects, BLOCKS[:4], False, skip=1)
        base.scatter_cpu_to_paged_kv(named, BLOCKS[:4], objects, 2, skip_first_n_tokens=ref.BLOCK)
        torch.hpu.synchronize()
        caches.check()


main(globals())
