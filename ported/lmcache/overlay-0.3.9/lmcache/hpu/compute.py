"""The model that LMCache's blender computes chosen tokens with: vLLM's, a layer at a time."""

from __future__ import annotations

from typing import Any

import torch
from lmcache.v1.compute.models.base import LMCBaseModel
from torch import Tensor


class LMCBaseModelHPU(LMCBaseModel):  # type: ignore[misc]
    """Upstream's with ``compute_layer`` as it is written, not compiled by torch.

    The default backend is not for Gaudi, and no backend compiles a generator as a whole.
    """

    def __init__(self, vllm_model: Any, blender: Any, *args: Any, **kwargs: Any) -> None:
        # It makes a rotary embedding of vLLM's, whose table the Gaudi plugin leaves where it is.
        with torch.device("hpu"):
            super().__init__(vllm_model, KeepingBlender(blender), *args, **kwargs)

    compute_layer = getattr(
        LMCBaseModel.compute_layer, "_torchdynamo_orig_callable", LMCBaseModel.compute_layer
    )


class KeepingBlender:
    """A blender that keeps what it computes before it chooses tokens, where upstream's does not.

    There all tokens are computed, so their keys and values are what they should be. Without it
    the cache would have rotated keys in their place, and zeros for what separates two parts.
    """

    def __init__(self, blender: Any) -> None:
        self._blender = blender

    def process_qkv(
        self, q: Tensor, k: Tensor, v: Tensor, residual: Tensor, layer_id: int, *more: Any
    ) -> tuple[Any, ...]:
        """As upstream's: what attention is computed of."""
        answer: tuple[Any, ...] = self._blender.process_qkv(q, k, v, residual, layer_id, *more)
        if self._blender.metadata.imp_indices is None:
            _, *computed = answer[:3]
            for kept, fresh in zip(
                self._blender.gpu_connector.get_kv(layer_id), computed, strict=True
            ):
                kept.copy_(fresh)
        return answer
