"""What the releases of LMCache have in different places."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import torch
from caches import Geometry


def made(kind: type, geometry: Geometry, **chosen: bool) -> Any:
    """The connector of this ``kind``, made as the adapter makes it, with ``chosen`` settings.

    Raises TypeError where the settings give another one.
    """
    named = _of_metadata if chosen.get("use_gpu_connector_v3") else _named
    connector = named(kind, geometry) if _names_the_class() else _created(geometry, chosen)
    if type(connector) is not kind:
        raise TypeError(f"{chosen} give {type(connector).__name__}, and not {kind.__name__}")
    return connector


def allocator() -> Any:
    """Of memory objects."""
    try:
        from lmcache.v1.memory_allocators.ad_hoc_memory_allocator import (  # noqa: PLC0415
            AdHocMemoryAllocator,
        )
    except ModuleNotFoundError:
        from lmcache.v1.memory_management import AdHocMemoryAllocator  # noqa: PLC0415
    return AdHocMemoryAllocator("cpu")


def _names_the_class() -> bool:
    """Whether the adapter of this release does; later a function picks one by the settings."""
    return find_spec("lmcache.hpu.connectors.create") is None


def _named(kind: Any, geometry: Geometry) -> Any:
    return kind(
        geometry.width,
        geometry.layers,
        use_gpu=False,
        chunk_size=geometry.chunk_size,
        dtype=torch.bfloat16,
        device=torch.device("hpu"),
    )


def _of_metadata(kind: Any, geometry: Geometry) -> Any:
    return kind.from_metadata(_metadata(geometry), False, torch.device("hpu"))


def _created(geometry: Geometry, chosen: dict[str, bool]) -> Any:
    from lmcache.hpu.connectors.create import CreateGPUConnector  # noqa: PLC0415
    from lmcache.v1.config import LMCacheEngineConfig  # noqa: PLC0415

    config = LMCacheEngineConfig.from_defaults(chunk_size=geometry.chunk_size, **chosen)
    return CreateGPUConnector(config, _metadata(geometry), "vllm")


def _metadata(geometry: Geometry) -> Any:
    shape = (geometry.layers, 2, geometry.chunk_size, geometry.kv_heads, geometry.head_size)
    size = geometry.chunk_size
    try:
        from lmcache.v1.metadata import LMCacheMetadata  # noqa: PLC0415
    except ModuleNotFoundError:
        from lmcache.config import LMCacheEngineMetadata  # noqa: PLC0415

        return LMCacheEngineMetadata("trip", 1, 0, "vllm", torch.bfloat16, shape, chunk_size=size)
    return LMCacheMetadata("trip", 1, 1, 0, 0, torch.bfloat16, shape, chunk_size=size)
