"""Attention and rotary embedding."""

from __future__ import annotations

import enum
from typing import Any

import torch

from . import Fp8FusedSDPA
from .FusedSDPA import FusedSDPA


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
