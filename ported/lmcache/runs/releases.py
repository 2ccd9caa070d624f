"""What the releases of LMCache call by other names."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import torch
from caches import Geometry


def is_of_a_class() -> bool:
    """Whether the adapter of this release names the class of its connector."""
    return find_spec("lmcache.hpu.connectors.create") is None


def named(name: str, geometry: Geometry) -> Any:
    """The connector, made as the adapter does that names its class."""
    from lmcache.hpu.connectors import paged  # noqa: PLC0415

    return getattr(paged, name)(
        geometry.width,
        geometry.layers,
        use_gpu=False,
        chunk_size=geometry.chunk_size,
        dtype=torch.bfloat16,
        device=torch.device("hpu"),
        use_mla=False,
    )


def created(name: str, geometry: Geometry, **chosen: bool) -> Any:
    """The connector that the factory makes of these settings. Raises TypeError for another."""
    from lmcache.hpu.connectors.create import CreateGPUConnector  # noqa: PLC0415
    from lmcache.utils import EngineType  # noqa: PLC0415
    from lmcache.v1.config import LMCacheEngineConfig  # noqa: PLC0415
    from lmcache.v1.metadata import LMCacheMetadata  # noqa: PLC0415

    shape = (geometry.layers, 2, geometry.chunk_size, geometry.kv_heads, geometry.head_size)
    about = LMCacheMetadata(
        "trip", 1, 1, 0, 0, torch.bfloat16, shape, chunk_size=geometry.chunk_size
    )
    config = LMCacheEngineConfig.from_defaults(chunk_size=geometry.chunk_size, **chosen)
    connector = CreateGPUConnector(config, about, EngineType.VLLM)
    if type(connector).__name__ != name:
        raise TypeError(f"the factory makes {type(connector).__name__}, and not {name}")
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
