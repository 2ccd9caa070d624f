"""Attention of a prompt of which only some tokens are computed: that of LMCache's blender.

T tokens have keys and values, [T, KVH, HS], and Q of them queries, [Q, H, HS]; Q is chosen on the
host, so no shape depends on data. Several heads may share those of keys and values (H > KVH).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from lmcache.v1.compute.attention.abstract import AttentionInterface
from lmcache.v1.compute.attention.metadata import LMCAttnMetadata
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

_NOT_HERE = ("alibi_slopes", "sliding_window", "logits_soft_cap", "sinks")


@dataclass
class LMCHPUAttnMetadata(LMCAttnMetadata):  # type: ignore[misc]
    """``mask`` [Q, T] is added to logits; None: every token has a query, and sees those before."""

    num_tokens: int
    mask: Tensor | None = None

    def update_from_top_indices(self, top_indices: Tensor) -> None:
        """Only these tokens [Q] go on; each sees the tokens up to its own position."""
        tokens = torch.arange(self.num_tokens, device=top_indices.device)
        later = tokens > top_indices[:, None]
        # In float32, and cast to the queries' dtype where it is used: no other is known here.
        self.mask = torch.zeros(later.shape, device=later.device).masked_fill(later, -torch.inf)


class LMCHPUAttnBackend(AttentionInterface):  # type: ignore[misc]
    """Causal attention by the position of each query, where upstream's counts from the last one.

    Raises ValueError for an attention that is more than that.
    """

    def __init__(self, vllm_attn: Any) -> None:
        impl = vllm_attn.impl
        for feature in _NOT_HERE:
            given = getattr(impl, feature, None)
            # A number of 0 is vLLM's way, too, to say that there is no soft cap.
            if given is not None and (isinstance(given, Tensor) or given):
                raise ValueError(f"blending on Gaudi has no attention with {feature}")
        self._scale = float(impl.scale)

    def init_attn_metadata(self, input_ids: Tensor, **kwargs: Any) -> LMCHPUAttnMetadata:
        """Of a prompt [T] all of whose tokens are computed yet."""
        return LMCHPUAttnMetadata(len(input_ids))

    def forward_contiguous(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        output: Tensor,
        attn_metadata: LMCHPUAttnMetadata,
        **kwargs: Any,
    ) -> Tensor:
        """Write what the queries see into ``output`` [Q, H, HS], and return it."""
        mask = attn_metadata.mask
        if mask is not None:
            mask = mask.to(query.dtype)[None, None]
        by_head = (tensor.transpose(0, 1)[None] for tensor in (query, key, value))
        seen = _attend(*by_head, mask, self._scale)
        return output.copy_(seen[0].transpose(0, 1))


def _attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, scale: float) -> Tensor:
    """Gaudi's own kernel, which does not hold all logits at once, where there is one."""
    causal = mask is None
    try:
        from habana_frameworks.torch.hpex.kernels import FusedSDPA  # noqa: PLC0415
    except ImportError:
        shared = query.shape[1] != key.shape[1]
        return scaled_dot_product_attention(
            query, key, value, mask, is_causal=causal, scale=scale, enable_gqa=shared
        )
    seen: Tensor = FusedSDPA.apply(query, key, value, mask, 0.0, causal, scale)
    return seen
