"""Which connector an engine gets."""

from __future__ import annotations

from typing import Any

from lmcache.hpu.connectors.blending import VLLMBufferLayerwiseHPUConnector
from lmcache.hpu.connectors.layerwise import VLLMPagedMemLayerwiseHPUConnector
from lmcache.hpu.connectors.paged import VLLMPagedMemHPUConnectorV2, VLLMPagedMemHPUConnectorV3
from lmcache.hpu.connectors.sglang import SGLangHPUConnector
from lmcache.v1.gpu_connector import CreateGPUConnector as create_upstream_s
from lmcache.v1.gpu_connector import GPUConnectorInterface


def CreateGPUConnector(
    config: Any, metadata: Any, engine: Any, *hints: Any, **named_hints: Any
) -> GPUConnectorInterface:
    """For vLLM and SGLang a connector for Gaudi; for other engines what upstream has, if any.

    ``engine`` is an EngineType, and in 0.3.14 its value. Upstream gives hints of layouts from
    0.4.3 on. Raises ValueError for options that do not go together.
    """
    name = getattr(engine, "value", engine)
    if name == "sglang" and not config.use_layerwise:
        return SGLangHPUConnector.from_metadata(metadata)
    if name != "vllm":
        return create_upstream_s(config, metadata, engine, *hints, **named_hints)
    if config.use_layerwise and config.enable_blending:
        return VLLMBufferLayerwiseHPUConnector.from_metadata(metadata)
    if config.use_layerwise:
        return VLLMPagedMemLayerwiseHPUConnector.from_metadata(metadata)
    if config.enable_blending:
        raise ValueError("enable_blending works a layer at a time; set use_layerwise to True")
    if config.use_gpu_connector_v3:
        return VLLMPagedMemHPUConnectorV3.from_metadata(metadata)
    return VLLMPagedMemHPUConnectorV2.from_metadata(metadata)
