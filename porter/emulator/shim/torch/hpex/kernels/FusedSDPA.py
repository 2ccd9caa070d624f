"""Attention. As in the bridge, a module and, in the package above it, a class of one name."""

from __future__ import annotations

import torch
from torch.nn.functional import scaled_dot_product_attention

from ..._ops.attention import visible


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
        window_size: tuple[int, int] = (-1, -1),
        sinks: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """A row of padding is zero.

        Raises NotImplementedError for windows and sinks, and for results besides the output;
        ValueError for valid lengths where the mask is not the causal one alone.
        """
        if (
            return_dropout_mask
            or return_attn_probs
            or sinks is not None
            or set(window_size) != {-1}
        ):
            raise NotImplementedError(
                "the emulator has FusedSDPA with one result, without window_size and sinks"
            )
        if valid_seq_len is not None:
            if attn_mask is not None or not is_causal:
                raise ValueError("valid_seq_len goes with is_causal and without attn_mask")
            attn_mask = visible(q, k, is_causal, valid_seq_len, seq_padding_type.lower())
            is_causal = False
        shared = q.shape[-3] != k.shape[-3]
        return scaled_dot_product_attention(
            q, k, v, attn_mask, dropout_p, is_causal, scale=scale, enable_gqa=shared
        )


def is_gqa(q: torch.Tensor, k: torch.Tensor) -> bool:
    """Whether heads of ``k`` are shared by groups of heads of ``q``: [batch, heads, ...]."""
    return q.dim() == 4 and k.shape[1] not in (1, q.shape[1])


def gqa_input_reshape_fwd(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, attention_mask: torch.Tensor | None
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor | None]:
    """A dimension more, for the groups: [batch, groups, heads of the group, ...]."""
    groups, heads = k.shape[1], q.shape[1]
    if attention_mask is not None:
        if attention_mask.shape[1] == heads:
            attention_mask = attention_mask.unflatten(1, (groups, -1))
        else:
            attention_mask = attention_mask.unsqueeze(1)
    return q.unflatten(1, (groups, -1)), k.unsqueeze(2), v.unsqueeze(2), attention_mask


def gqa_output_reshape(tensor: torch.Tensor) -> torch.Tensor:
    """Without that dimension."""
    return tensor.flatten(1, 2)
