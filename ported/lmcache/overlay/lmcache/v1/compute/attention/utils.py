"""The attention of LMCache's blender, which on Gaudi is one, and never sparse."""

from __future__ import annotations

from typing import Any, NoReturn

from lmcache.hpu.attention import LMCHPUAttnBackend


def infer_attn_backend_from_vllm(vllm_attn: Any, enable_sparse: bool = False) -> LMCHPUAttnBackend:
    """``vllm_attn`` is a layer's. Raises ValueError for what there is no backend for."""
    if enable_sparse:
        raise ValueError("blending on Gaudi has no sparse attention; set enable_sparse to False")
    return LMCHPUAttnBackend(vllm_attn)


def infer_attn_func_from_vllm(device_type: str) -> NoReturn:
    """Flash attention, for the backends of other devices, which can be imported here all the same.

    Raises ValueError.
    """
    raise ValueError(f"there is no flash attention for {device_type} beside the port to Gaudi")
