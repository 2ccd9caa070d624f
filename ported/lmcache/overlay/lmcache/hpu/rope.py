"""Keys that were rotated for one position, rotated for another.

Shapes follow those of ``key``: T tokens, NH heads, and of each head the first ROT elements,
which is how wide a row of ``cos_sin_cache`` is: ROT / 2 cosines, then as many sines. Nothing
depends on what the positions are, so there is one graph for each number of tokens.
"""

from __future__ import annotations

import torch
from torch import Tensor


def rotary_embedding_k_fused(
    old_positions: Tensor,
    new_positions: Tensor,
    key: Tensor,
    head_size: int,
    cos_sin_cache: Tensor,
    is_neox: bool,
) -> None:
    """Rotate ``key`` [..., NH, HS] in place from the positions [...] it has to new ones.

    Rotating back and then on is one rotation by the difference. It is computed in float32 and
    rounded to the dtype of ``key`` once; upstream's kernel rounds after each step.
    """
    half = cos_sin_cache.shape[1] // 2
    wide = torch.promote_types(torch.float32, key.dtype)

    def angle(positions: Tensor) -> tuple[Tensor, Tensor]:
        places = positions.flatten().to(cos_sin_cache.device)
        rows = cos_sin_cache.index_select(0, places).to(wide)
        cos, sin = rows.view(*key.shape[:-2], 1, 2 * half).chunk(2, -1)
        return cos, sin

    (old_cos, old_sin), (new_cos, new_sin) = angle(old_positions), angle(new_positions)
    cos = new_cos * old_cos + new_sin * old_sin
    sin = new_sin * old_cos - new_cos * old_sin
    rotated = key[..., : 2 * half]
    # GPT-NeoX pairs an element with the one half a head further, GPT-J with its neighbour.
    pairs = rotated.view(*key.shape[:-1], half, 2)
    x, y = rotated.chunk(2, -1) if is_neox else pairs.unbind(-1)
    wide_x, wide_y = x.to(wide), y.to(wide)
    turned_x, turned_y = wide_x * cos - wide_y * sin, wide_y * cos + wide_x * sin
    x.copy_(turned_x)
    y.copy_(turned_y)


def rotary_embedding_k_fused_strided(
    old_positions: Tensor,
    new_positions: Tensor,
    key: Tensor,
    head_size: int,
    head_stride: int,
    cos_sin_cache: Tensor,
    is_neox: bool,
) -> None:
    """The same for heads of ``head_stride`` elements, key and value side by side.

    Only the first ``head_size`` of them are rotated.
    """
    rotary_embedding_k_fused(
        old_positions, new_positions, key[..., :head_size], head_size, cos_sin_cache, is_neox
    )
