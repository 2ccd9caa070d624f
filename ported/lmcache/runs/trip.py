"""What every trip has, whatever takes the KV: the cache, memory objects, and how much that is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
from caches import Geometry, PagedCaches, Pair
from releases import allocator


class Trip(ABC):
    """From a paged cache to the memory objects of one prompt, and back."""

    def __init__(self, tokens: int, geometry: Geometry, connector: Any) -> None:
        self.geometry, self.connector = geometry, connector
        self.caches = PagedCaches(geometry, tokens)
        self.block_bytes = geometry.token_bytes * geometry.block_size

    @abstractmethod
    def store(self, tokens: int) -> None: ...

    @abstractmethod
    def stored(self, tokens: int) -> Iterator[Pair]: ...

    @abstractmethod
    def load(self, tokens: int) -> None: ...

    @abstractmethod
    def objects(self) -> Iterable[Any]:
        """Those of the last prompt."""

    def kv_bytes(self, tokens: int) -> int:
        return tokens * self.geometry.token_bytes

    def index_bytes(self, tokens: int) -> int:
        return self.caches.index_bytes(tokens)

    def fill(self) -> None:
        self.caches.fill()

    def lose(self) -> None:
        self.caches.lose()

    def loaded(self, tokens: int) -> Iterator[Pair]:
        for item in self.objects():
            item.tensor.zero_()  # the engine may use its memory again
        return self.caches.loaded(tokens)

    def spans(self, tokens: int) -> tuple[list[int], list[int]]:
        """Where the objects of a prompt start and end."""
        size = self.geometry.chunk_size
        starts = list(range(0, tokens, size))
        return starts, [min(start + size, tokens) for start in starts]

    def told(self, tokens: int, **more: Any) -> dict[str, Any]:
        """What the adapter tells a connector."""
        slots = self.caches.slots[:tokens]
        return {"kvcaches": self.caches.on_device, "slot_mapping": slots, **more}


class Objects:
    """The memory objects of one prompt after another; ``shape`` has -1 for the tokens.

    Whole ones are used again, as they are by an engine.
    """

    def __init__(self, shape: Sequence[int], form: Any, chunk_size: int) -> None:
        self._shape, self._form, self._chunk_size = shape, form, chunk_size
        self._allocator = allocator()
        self._whole: list[Any] = []
        self._last: list[Any] = []

    def of(self, tokens: int) -> list[Any]:
        whole, rest = divmod(tokens, self._chunk_size)
        while len(self._whole) < whole:
            self._whole.append(self._made(self._chunk_size))
        for item in self._last:
            item.ref_count_down()
        self._last = [self._made(rest)] if rest else []
        return [*self._whole[:whole], *self._last]

    def _made(self, tokens: int) -> Any:
        shape = torch.Size(tokens if size < 0 else size for size in self._shape)
        return self._allocator.allocate(shape, torch.bfloat16, self._form)
