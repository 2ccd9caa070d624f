"""What all connectors share: the caches that they were given, and the plan of a batch."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from lmcache.hpu import slots
from lmcache.hpu.kv_views import LayerView, kv_views
from lmcache.hpu.transfer import Group
from lmcache.v1.gpu_connector import GPUConnectorInterface
from lmcache.v1.memory_management import MemoryFormat, MemoryObj
from torch import Tensor

_IN_ONE_GRAPH = 32 << 20  # bytes of memory objects; the device holds them twice while they move

KVCaches = Sequence[Tensor | Sequence[Tensor]]


class HPUConnector(GPUConnectorInterface):  # type: ignore[misc]
    """``chunk_size`` is what an object holds unless it is the last of its prompt."""

    most_together = slots.TOGETHER

    def __init__(
        self, use_mla: bool, chunk_size: int | None = None, block_size: int | None = None
    ) -> None:
        self.use_mla = use_mla
        self.chunk_size = chunk_size
        self.block_size = block_size
        self.kvcaches: KVCaches | None = None
        self._views: list[LayerView] = []
        self._groups: list[Group] = []

    def initialize_kvcaches_ptr(self, **kwargs: Any) -> None:
        """Take ``kvcaches``, one a layer. Raises ValueError for caches of no known layout."""
        caches = kwargs.get("kvcaches")
        if caches is None or self._has(caches):
            return
        views = self._viewed(caches)
        self._groups = self._grouped(views)
        self._views, self.kvcaches = views, caches

    def _viewed(self, caches: KVCaches) -> list[LayerView]:
        """One view a layer. Raises ValueError for caches of no known layout."""
        return kv_views(caches, self.block_size)

    @abstractmethod
    def _grouped(self, views: list[LayerView]) -> list[Group]:
        """The layers that lie side by side in memory objects."""

    @abstractmethod
    def _in_one_graph(self) -> Sequence[LayerView]:
        """The layers that are moved at once."""

    def _plan(
        self,
        starts: Sequence[int],
        ends: Sequence[int],
        kwargs: dict[str, Any],
        *,
        writes: bool,
    ) -> slots.Plan:
        """Raises ValueError without ``kvcaches`` or ``slot_mapping``."""
        return slots.plan(
            self._mapping(kwargs),
            list(zip(starts, ends, strict=True)),
            self._views[0].block_size,
            min(view.num_slots for view in self._views),
            writes=writes,
            skip_prefix=kwargs.get("vllm_cached_tokens", 0) if writes else 0,
            chunk_size=self.chunk_size,
            together=self._together(),
        )

    def _mapping(self, kwargs: dict[str, Any]) -> slots.Ids:
        self.initialize_kvcaches_ptr(**kwargs)
        if not self._views:
            raise ValueError("'kvcaches' must be given, or initialized before")
        if kwargs.get("slot_mapping") is None:
            raise ValueError("'slot_mapping' must be given")
        return slots.on_cpu(kwargs["slot_mapping"])

    def _together(self) -> int:
        views = self._in_one_graph()
        token = sum(len(view.planes) * view.width * view.dtype.itemsize for view in views)
        fitting = _IN_ONE_GRAPH // (token * (self.chunk_size or 1))
        return int(min(self.most_together, 1 << max(fitting, 1).bit_length() - 1))

    def _has(self, caches: KVCaches) -> bool:
        known = self.kvcaches
        return known is not None and len(known) == len(caches) and all(map(_same, known, caches))


def geometry(metadata: Any) -> dict[str, Any]:
    """What connectors for layers of one shape are made with.

    ``metadata`` is LMCacheMetadata, whose ``kv_shape`` is [L, 2 or 1, chunk, NH, HS].
    """
    num_layers, _, chunk_size, num_heads, head_size = metadata.kv_shape
    return {
        "hidden_dim_size": num_heads * head_size,
        "num_layers": num_layers,
        "chunk_size": chunk_size,
        "use_mla": metadata.use_mla,
    }


def check_format(memory_objs: Sequence[MemoryObj], wanted: MemoryFormat) -> None:
    """Raises ValueError for objects of another format."""
    for memory_obj in memory_objs:
        if memory_obj.metadata.fmt != wanted:
            raise ValueError(
                f"an object in {memory_obj.metadata.fmt.name} where {wanted.name} is needed"
            )


def only_tensor(memory_obj: MemoryObj) -> Tensor:
    """Of an object that has one. Raises ValueError for one without memory."""
    if memory_obj.tensor is None:
        raise ValueError("a memory object without memory")
    return memory_obj.tensor


def _same(known: object, cache: object) -> bool:
    return known is cache
