"""What a sequence takes of the KV cache, by the rules of vLLM's cache specs.

Checked against ``vllm.v1.kv_cache_interface`` by ``scripts/check_plan``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil

from porter.plan.layers import Attention, Latent, Mixer
from porter.plan.shape import Shape

#: Tokens. Other sizes work on Gaudi, slowly.
BLOCK = 128
#: Bytes of a number of a state: bf16, vLLM's ``mamba_cache_dtype`` of "auto".
_STATE = 2


@dataclass(frozen=True)
class CacheRules:
    """How a sequence of ``context`` tokens is kept.

    ``number`` is bytes a number of keys and values. ``in_flight`` is how many tokens may be
    scheduled and not yet settled: a sliding window holds on to them. ``whole_windows``: the
    Gaudi plugin keeps all tokens of window and chunked layers, vLLM's own runner does not.
    """

    context: int
    number: int = 2
    in_flight: int = 0
    whole_windows: bool = True

    def blocks(self, mixer: Attention | Latent) -> int:
        """Of a sequence in one layer; a window need not begin where a block does."""
        window = mixer.window if isinstance(mixer, Attention) else None
        chunk = mixer.chunk if isinstance(mixer, Attention) else None
        if self.whole_windows or (window is None and chunk is None):
            return ceil(self.context / BLOCK)
        if window is not None:
            return ceil(min(window - 1 + self.in_flight, self.context) / BLOCK) + 1
        return ceil(min((chunk or 0) + self.in_flight, self.context) / BLOCK)


def page_bytes(mixer: Mixer, tp: int, number: int) -> int:
    """A block of one layer on one card; of a layer with a state, the state."""
    if isinstance(mixer, (Attention, Latent)):
        return BLOCK * mixer.token_bytes(tp, number)
    return mixer.state_numbers(tp) * _STATE


def layer_bytes(mixer: Mixer, rules: CacheRules, tp: int = 1) -> int:
    """What a sequence takes of one layer on one card."""
    page = page_bytes(mixer, tp, rules.number)
    return page * rules.blocks(mixer) if isinstance(mixer, (Attention, Latent)) else page


def sequence_bytes(shape: Shape, rules: CacheRules, tp: int = 1) -> int:
    """What a sequence takes of all layers on one card."""
    return sum(n * layer_bytes(mixer, rules, tp) for mixer, n in shape.distinct_mixers.items())


def token_bytes(shape: Shape, number: int, tp: int = 1) -> int:
    """What one more token takes of all layers on one card, with no window full."""
    return sum(mixer.token_bytes(tp, number) for mixer in shape.attention)


def pad_bytes(shape: Shape, number: int, tp: int) -> int:
    """The block that the plugin adds to each layer for padding to write to."""
    return sum(n * page_bytes(mixer, tp, number) for mixer, n in shape.distinct_mixers.items())


def pool_bytes(shape: Shape, rules: CacheRules, tp: int, concurrency: int) -> int:
    """What the plugin's pool needs on one card for ``concurrency`` sequences, without padding.

    A model of one kind of layers needs the sum of its layers. Where some have states, the
    plugin gives each block of the pool the room of an attention block *and* of a state
    (``determine_available_memory``), so long contexts pay for states that nobody has.
    """
    states = shape.states
    if not states or not shape.attention:
        return concurrency * sequence_bytes(shape, rules, tp)
    hybrid = _Pool.of(shape, rules, tp)
    return hybrid.block_bytes * hybrid.blocks(rules.context) * concurrency


@dataclass(frozen=True)
class _Pool:
    """A block is of ``tokens`` tokens and for ``size`` layers; each such group has its table."""

    tokens: int
    size: int
    attention_groups: int
    state_groups: int
    block_bytes: int

    @staticmethod
    def of(shape: Shape, rules: CacheRules, tp: int) -> _Pool:
        token = max(mixer.token_bytes(tp, rules.number) for mixer in shape.attention)
        state = max(mixer.state_numbers(tp) for mixer in shape.states) * _STATE
        step = 16 if shape.states[0].kind == "Mamba state" else BLOCK
        tokens = max(BLOCK, step * ceil(state / (step * token)))
        size = min(len(shape.attention), len(shape.states))
        return _Pool(
            tokens=tokens,
            size=size,
            attention_groups=ceil(len(shape.attention) / size),
            state_groups=ceil(len(shape.states) / size),
            block_bytes=size * (tokens * token + state),
        )

    def blocks(self, context: int) -> int:
        return self.attention_groups * ceil(context / self.tokens) + self.state_groups


@dataclass(frozen=True)
class Row:
    """Layers of one kind: ``layers`` of them, of ``token`` and ``sequence`` bytes each."""

    kind: str
    layers: int
    token: int
    page: int
    sequence: int


def rows(shape: Shape, rules: CacheRules, tp: int = 1) -> Iterator[Row]:
    """By kind, in the order of the layers. ``sequence`` is by vLLM's own rules."""
    own = replace(rules, whole_windows=False)
    for mixer, layers in shape.distinct_mixers.items():
        token = mixer.token_bytes(tp, rules.number) if isinstance(mixer, (Attention, Latent)) else 0
        yield Row(
            kind=mixer.kind,
            layers=layers,
            token=token,
            page=page_bytes(mixer, tp, rules.number),
            sequence=layer_bytes(mixer, own, tp),
        )
