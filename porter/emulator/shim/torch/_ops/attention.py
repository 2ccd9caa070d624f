"""Attention with the sums of its softmax, from which the parts of a row can be put together."""

from __future__ import annotations

import torch

from ._library import op

Results = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


@op(
    "sdpa_recomp_fwd(Tensor q, Tensor k, Tensor v, Tensor? attention_mask, float p, float scale, "
    "bool is_causal, bool requires_backward, str softmax_mode, Tensor? valid_seq_len, "
    "str seq_padding_type) -> (Tensor, Tensor, Tensor, Tensor)"
)
def sdpa_recomp_fwd(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    attention_mask: torch.Tensor | None,
    p: float,
    scale: float,
    is_causal: bool,
    requires_backward: bool,
    softmax_mode: str,
    valid_seq_len: torch.Tensor | None,
    seq_padding_type: str,
) -> Results:
    """The output, the largest logit of each row and one over the sum of its exponentials, and a
    seed that means nothing. Without ``requires_backward`` all but the output are empty.
    """
    if p:
        raise NotImplementedError("the emulator has sdpa_recomp_fwd without dropout")
    logits = (q.float() @ k.float().mT) * scale
    if attention_mask is not None:
        if attention_mask.dtype == torch.bool:
            logits = logits.masked_fill(~attention_mask, -torch.inf)
        else:
            logits = logits + attention_mask
    seen = visible(q, k, is_causal, valid_seq_len, seq_padding_type)
    if seen is not None:
        logits = logits.masked_fill(~seen, -torch.inf)
    largest = logits.amax(-1, keepdim=True).clamp(min=torch.finfo(q.dtype).min)
    weights = (logits - largest).exp()
    total = weights.sum(-1, keepdim=True)
    # A row that sees nothing is zero.
    out = (torch.where(total > 0, weights / total, 0) @ v.float()).to(q.dtype)
    seed = q.new_zeros(1, dtype=torch.int32)
    if not requires_backward:
        return out, q.new_empty(1), q.new_empty(1, dtype=torch.float32), seed
    short = softmax_mode == "fast" and q.dtype == torch.bfloat16
    inverse = total.reciprocal().to(torch.bfloat16 if short else torch.float32)
    return out, largest.to(q.dtype), inverse, seed


def visible(
    q: torch.Tensor,
    k: torch.Tensor,
    is_causal: bool,
    valid_seq_len: torch.Tensor | None,
    seq_padding_type: str,
) -> torch.Tensor | None:
    """Which key a query may see, or None where it may see all: bool, [..., queries, keys].

    valid_seq_len: how many keys of each sequence are no padding.
    """
    queries, keys = q.shape[-2], k.shape[-2]
    numbers = torch.arange(keys, device=q.device)
    seen = None
    if is_causal:
        seen = torch.arange(queries, device=q.device).unsqueeze(-1) >= numbers
    if valid_seq_len is not None:
        if seq_padding_type not in ("left", "right"):
            raise RuntimeError(f"seq_padding_type is left or right, not {seq_padding_type}")
        places = numbers if seq_padding_type == "right" else numbers.flip(0)
        lengths = valid_seq_len.to(q.device).reshape(-1, *[1] * (q.dim() - 1))
        valid = places < lengths
        seen = valid if seen is None else seen & valid
    return seen
