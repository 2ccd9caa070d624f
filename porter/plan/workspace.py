"""What a step needs beside weights and cache: an estimate, and an upper one.

The plugin does not measure it (its ``profile_run`` returns at once), so it has to fit into
what ``gpu_memory_utilization`` leaves free. The terms are what the plugin's prefill and
decode allocate, as read from vllm-gaudi at 091bbadda10b (2026-08-21); none was measured.
"""

from __future__ import annotations

from dataclasses import dataclass

from porter.plan.layers import Latent
from porter.plan.shape import Shape

#: Bytes of a number of an activation.
_BF16 = 2
#: Bytes of a place of the attention mask: two masks of bool, joined, and a bias of bf16.
_MASK = 4
#: Bytes of a logit: as computed, in float32, and a copy that the sampler sorts.
_LOGIT = 2 + 4 + 4


@dataclass(frozen=True)
class Load:
    """``step`` is max_num_batched_tokens; ``number`` bytes a number of keys and values."""

    context: int
    concurrency: int
    step: int
    number: int = 2


def workspace_bytes(shape: Shape, load: Load, tp: int) -> int:
    """On one card, at the worst moment of a step."""
    passing = max(_prefill(shape, load, tp), _decode(shape, load, tp))
    return passing + _logits(shape, load) + _unfolded(shape, tp)


def _prefill(shape: Shape, load: Load, tp: int) -> int:
    """A step of ``load.step`` tokens of one prompt, the rest of which is in the cache."""
    tokens = min(load.step, load.context)
    widest = max(
        max(layer.mixer.width(tp), 0 if layer.mlp is None else layer.mlp.width(tp))
        for layer in shape.distinct_layers
    )
    stream = tokens * (3 * shape.hidden + widest) * _BF16
    if not shape.attention:
        return stream
    mask = tokens * load.context * _MASK
    return stream + mask + load.context * _fetched(shape, load, tp)


def _decode(shape: Shape, load: Load, tp: int) -> int:
    """A token of each sequence: one layer's blocks are fetched from the cache, and scored."""
    tokens = load.concurrency * load.context
    heads = max((m.heads // tp for m in shape.distinct_attention), default=0)
    return tokens * (_fetched(shape, load, tp) + heads * 2 * _BF16)


def _fetched(shape: Shape, load: Load, tp: int) -> int:
    """Bytes a token of the widest layer's keys and values."""
    return max((m.token_bytes(tp, load.number) for m in shape.distinct_attention), default=0)


def _logits(shape: Shape, load: Load) -> int:
    return load.concurrency * shape.vocabulary * _LOGIT


def _unfolded(shape: Shape, tp: int) -> int:
    """The second copy of MLA's projections, which vLLM makes after loading."""
    latent = ((m, n) for m, n in shape.distinct_mixers.items() if isinstance(m, Latent))
    return sum(mixer.unfolded(tp) * n for mixer, n in latent) * _BF16
