"""Attention and rotary embedding."""

from __future__ import annotations

import enum
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention


class FusedSDPA:
    """Scaled dot product attention; fewer heads in ``k`` and ``v`` than in ``q`` are shared."""

    @staticmethod
    def apply(
        q: torch.Tensor,
        k: torch.Tensor,
        v: torch.Tensor,
        attn_mask: torch.Tensor | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        scale: float | None = None,
        softmax_mode: str = "None",
        recompute_mode: bool | None = None,
        valid_seq_len: torch.Tensor | None = None,
        seq_padding_type: str = "left",
        return_dropout_mask: bool = False,
        return_attn_probs: bool = False,
    ) -> torch.Tensor:
        """Raises NotImplementedError for valid lengths, and for results besides the output."""
        if valid_seq_len is not None or return_dropout_mask or return_attn_probs:
            raise NotImplementedError(
                "the emulator has FusedSDPA without valid_seq_len and with one result"
            )
        shared = q.shape[-3] != k.shape[-3]
        return scaled_dot_product_attention(
            q, k, v, attn_mask, dropout_p, is_causal, scale=scale, enable_gqa=shared
        )


class RotaryPosEmbeddingMode(enum.Enum):
    BLOCKWISE = 0
    PAIRWISE = 1


def apply_rotary_pos_emb(p: torch.Tensor, *args: Any) -> torch.Tensor:
    """``args``: cos, sin, position_ids (None), offset (0), mode."""
    return _rotate(p, *args)


def _rotate(
    p: torch.Tensor,
    cos: torch.Tensor,
    sin: torch.Tensor,
    position_ids: torch.Tensor | None = None,
    offset: int = 0,
    mode: RotaryPosEmbeddingMode = RotaryPosEmbeddingMode.BLOCKWISE,
) -> torch.Tensor:
    if position_ids is not None or offset:
        raise NotImplementedError(
            "the emulator has apply_rotary_pos_emb for cos and sin at the positions already"
        )
    if mode is RotaryPosEmbeddingMode.BLOCKWISE:
        first, second = p.chunk(2, -1)
        rotated = torch.cat((-second, first), -1)
    else:
        rotated = torch.stack((-p[..., 1::2], p[..., ::2]), -1).flatten(-2)
    return p * cos + rotated * sin
