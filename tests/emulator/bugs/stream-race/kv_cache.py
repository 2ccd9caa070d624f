"""Pages of a KV cache move on one stream while attention works on another."""

from __future__ import annotations

import torch

BLOCKS, BLOCK, WIDTH = 8, 4, 16


def cache() -> torch.Tensor:
    """One layer, ``[blocks, slots of a block, width]``; the host has waited for it."""
    made = torch.zeros(BLOCKS, BLOCK, WIDTH, device="hpu")
    torch.hpu.synchronize()
    return made


def blocks(*numbers: int) -> torch.Tensor:
    made = torch.tensor(numbers, device="hpu")
    torch.hpu.synchronize()
    return made


def slots(*numbers: int) -> torch.Tensor:
    """All slots of these blocks."""
    return blocks(*(number * BLOCK + slot for number in numbers for slot in range(BLOCK)))


class LoadIntoBlocksInUse:
    """A load fills blocks by slots; attention reads by blocks, the twin's others than the bug's."""

    def run(self, used: torch.Tensor) -> None:
        kv, load = cache(), torch.hpu.Stream()
        loaded = slots(1, 4, 6)
        pages = torch.ones(len(loaded), WIDTH, device="hpu")
        torch.hpu.synchronize()
        with torch.hpu.stream(load):
            kv.view(-1, WIDTH).index_copy_(0, loaded, pages)
        kv.index_select(0, used)  # here
        torch.hpu.synchronize()

    def bug(self) -> None:
        self.run(blocks(0, 4))

    def twin(self) -> None:
        self.run(blocks(0, 2, 5, 7))


class StoreOfABlockThatIsWritten:
    """A store gathers finished blocks; the step writes its token into a block of its own."""

    def run(self, current: int) -> None:
        kv, store = cache(), torch.hpu.Stream()
        finished, token = blocks(0, 3), torch.ones(WIDTH, device="hpu")
        torch.hpu.synchronize()
        with torch.hpu.stream(store):
            host = kv.index_select(0, finished).to("cpu", non_blocking=True)
        kv[current, 2] = token  # here
        torch.hpu.synchronize()
        assert host.sum() == 0

    def bug(self) -> None:
        self.run(3)

    def twin(self) -> None:
        self.run(2)


class StoreOfASlotThatIsWritten:
    """The same with one index for the block and one for the slot in it, as attention writes."""

    def run(self, current: torch.Tensor) -> None:
        kv, store = cache(), torch.hpu.Stream()
        finished, offset = blocks(0, 3), blocks(2)
        token = torch.ones(1, WIDTH, device="hpu")
        torch.hpu.synchronize()
        with torch.hpu.stream(store):
            host = kv[finished].to("cpu", non_blocking=True)
        kv[current, offset] = token  # here
        torch.hpu.synchronize()
        assert host.sum() == 0

    def bug(self) -> None:
        self.run(blocks(3))

    def twin(self) -> None:
        self.run(blocks(5))


class TwoLoadsOfOneBlock:
    """Requests that share a prefix load the same block, each on its stream."""

    def run(self, first: torch.Tensor, second: torch.Tensor) -> None:
        kv, streams = cache(), [torch.hpu.Stream() for _ in range(2)]
        page = torch.ones(2, BLOCK, WIDTH, device="hpu")
        torch.hpu.synchronize()
        for stream, wanted in zip(streams, (first, second), strict=True):
            with torch.hpu.stream(stream):
                kv[wanted] = page  # here
        torch.hpu.synchronize()

    def bug(self) -> None:
        self.run(blocks(0, 5), blocks(5, 6))

    def twin(self) -> None:
        self.run(blocks(0, 5), blocks(4, 6))


class HeadsOfOneTensor:
    """Each stream has its heads, in every slot: the bytes interleave, and only some overlap."""

    def run(self, first: slice, second: slice) -> None:
        kv, side = cache().view(BLOCKS, BLOCK, 4, 4), torch.hpu.Stream()
        with torch.hpu.stream(side):
            kv[:, :, first].fill_(1)
        kv[:, :, second].fill_(2)  # here
        torch.hpu.synchronize()

    def bug(self) -> None:
        self.run(slice(0, 3), slice(2, 4))

    def twin(self) -> None:
        self.run(slice(0, 2), slice(2, 4))


class KeysAndValuesOfOneTensor:
    """K and V lie side by side; the store of K takes too much of the last axis."""

    def run(self, keys: int) -> None:
        kv, store = cache(), torch.hpu.Stream()
        with torch.hpu.stream(store):
            kv[..., :keys].to("cpu", non_blocking=True)
        kv[..., WIDTH // 2 :].mul_(0.5)  # here
        torch.hpu.synchronize()

    def bug(self) -> None:
        self.run(WIDTH // 2 + 1)

    def twin(self) -> None:
        self.run(WIDTH // 2)


class LayerTooEarly:
    """Layer by layer: attention of a layer waits for the load of that layer, not of the last."""

    def run(self, lag: int) -> None:
        layers, load = [cache() for _ in range(3)], torch.hpu.Stream()
        pages = torch.ones(BLOCKS, BLOCK, WIDTH)
        loaded = [torch.hpu.Event() for _ in layers]
        with torch.hpu.stream(load):
            for layer, event in zip(layers, loaded, strict=True):
                layer.copy_(pages, non_blocking=True)
                event.record()
        for number, layer in enumerate(layers):
            loaded[max(number - lag, 0)].wait()
            layer.sum()  # here
        torch.hpu.synchronize()

    def bug(self) -> None:
        self.run(lag=1)

    def twin(self) -> None:
        self.run(lag=0)


class SlotMappingOfTheNextStep:
    """The index is data too: the next step must not write it while a load still reads it."""

    def run(self, waits: bool) -> None:
        kv, load = cache(), torch.hpu.Stream()
        mapping, page = blocks(1), torch.ones(1, BLOCK, WIDTH, device="hpu")
        torch.hpu.synchronize()
        with torch.hpu.stream(load):
            kv.index_copy_(0, mapping, page)
        if waits:
            torch.hpu.current_stream().wait_stream(load)
        mapping.fill_(2)  # here
        torch.hpu.synchronize()

    def bug(self) -> None:
        self.run(waits=False)

    def twin(self) -> None:
        self.run(waits=True)
