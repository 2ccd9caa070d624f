"""The parts of a decoder layer: how many weights each has, and what it keeps of a sequence.

``tp`` is how many cards the part is spread over. What vLLM does not split, it has on every
card: norms, routers, the low-rank projections of MLA, and KV heads beyond one a card.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True)
class Count:
    """Weights on one card: those of experts, of other linear layers, and of all the rest.

    Apart, because a quantization may be for the first, or the first two, alone.
    """

    experts: int = 0
    linear: int = 0
    plain: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(
            self.experts + other.experts, self.linear + other.linear, self.plain + other.plain
        )

    def __mul__(self, times: int) -> Count:
        return Count(self.experts * times, self.linear * times, self.plain * times)

    @property
    def total(self) -> int:
        return self.experts + self.linear + self.plain


@dataclass(frozen=True)
class Attention:
    """MHA, GQA or MQA. ``window`` and ``chunk`` are in tokens, None for attention to everything.

    ``shared``: it reads the keys and values of a layer before it, and keeps none. ``repeats``:
    several cards may have the same KV head.
    """

    heads: int
    kv_heads: int
    head_dim: int
    window: int | None = None
    chunk: int | None = None
    shared: bool = False
    qkv_bias: bool = False
    output_bias: bool = False
    qk_norm: bool = False
    sinks: bool = False
    output_gate: bool = False
    repeats: bool = True

    @property
    def kind(self) -> str:
        if self.shared:
            return "shared"
        if self.window is not None:
            return "sliding window"
        return "full" if self.chunk is None else "chunked"

    def splits(self, tp: int) -> bool:
        even = self.kv_heads % tp == 0 or (self.repeats and tp % self.kv_heads == 0)
        return self.heads % tp == 0 and even

    def kv_heads_per_card(self, tp: int) -> int:
        """Fewer heads than cards: each card has one, and several have the same."""
        return max(1, self.kv_heads // tp)

    def count(self, hidden: int, tp: int) -> Count:
        queries = self.heads // tp * self.head_dim
        keys = self.kv_heads_per_card(tp) * self.head_dim
        into = queries * (2 if self.output_gate else 1) + 2 * keys
        plain = into * self.qkv_bias + hidden * self.output_bias
        plain += 2 * self.head_dim * self.qk_norm + self.heads // tp * self.sinks
        return Count(linear=hidden * into + queries * hidden, plain=plain)

    def token_bytes(self, tp: int, number: int) -> int:
        """Keys and values of a token on one card, ``number`` bytes each number."""
        return 0 if self.shared else 2 * self.kv_heads_per_card(tp) * self.head_dim * number

    def width(self, tp: int) -> int:
        """Numbers a token that exist at once on a card while the layer runs."""
        per_card = 2 * self.heads // tp + 2 * self.kv_heads_per_card(tp)
        return per_card * self.head_dim


@dataclass(frozen=True)
class Latent:
    """Multi-head latent attention: one latent vector a token, the same on every card."""

    heads: int
    rank: int
    rope_dim: int
    nope_dim: int
    value_dim: int
    query_rank: int | None

    kind = "MLA"

    def splits(self, tp: int) -> bool:
        return self.heads % tp == 0

    def count(self, hidden: int, tp: int) -> Count:
        heads = self.heads // tp
        query = heads * (self.nope_dim + self.rope_dim)
        if self.query_rank is None:
            queries = hidden * query
        else:
            queries = hidden * self.query_rank + self.query_rank * query
        keys = hidden * (self.rank + self.rope_dim) + self.unfolded(tp)
        return Count(
            linear=queries + keys + heads * self.value_dim * hidden,
            plain=self.rank + (self.query_rank or 0),
        )

    def unfolded(self, tp: int) -> int:
        """Weights that turn the latent vector into keys and values. vLLM keeps a second copy."""
        return self.rank * self.heads // tp * (self.nope_dim + self.value_dim)

    def token_bytes(self, tp: int, number: int) -> int:
        return (self.rank + self.rope_dim) * number

    def width(self, tp: int) -> int:
        return 2 * self.heads // tp * (self.nope_dim + self.rope_dim + self.value_dim)


@dataclass(frozen=True)
class Mamba1:
    """A selective state space: a convolution's tail and a state, whatever the length."""

    inner: int
    state: int
    conv: int
    dt_rank: int
    norms: bool
    conv_bias: bool = True

    kind = "Mamba state"

    def splits(self, tp: int) -> bool:
        return self.inner % tp == 0

    def count(self, hidden: int, tp: int) -> Count:
        inner, steps = self.inner // tp, self.dt_rank + 2 * self.state
        linear = 3 * hidden * inner + inner * steps + self.dt_rank * inner
        plain = inner * (self.conv + self.conv_bias + self.state + 2)
        return Count(linear=linear, plain=plain + steps * self.norms)

    def state_numbers(self, tp: int) -> int:
        return self.inner // tp * (self.conv - 1 + self.state)

    def width(self, tp: int) -> int:
        return 3 * self.inner // tp


@dataclass(frozen=True)
class Mamba2:
    """Mamba 2. Groups that do not divide over the cards are repeated, as vLLM does."""

    inner: int
    heads: int
    head_dim: int
    groups: int
    state: int
    conv: int
    conv_bias: bool = True

    kind = "Mamba state"

    def splits(self, tp: int) -> bool:
        return self.heads % tp == 0 and self.inner % tp == 0

    def _convolved(self, tp: int) -> int:
        groups = self.groups if self.groups % tp == 0 else tp
        return (self.inner + 2 * groups * self.state) // tp

    def count(self, hidden: int, tp: int) -> Count:
        inner, heads, convolved = self.inner // tp, self.heads // tp, self._convolved(tp)
        linear = hidden * (inner + convolved + heads) + inner * hidden
        plain = convolved * (self.conv + self.conv_bias) + 3 * heads + inner
        return Count(linear=linear, plain=plain)

    def state_numbers(self, tp: int) -> int:
        tail = self._convolved(tp) * (self.conv - 1)
        return tail + self.heads // tp * self.head_dim * self.state

    def width(self, tp: int) -> int:
        return 2 * self.inner // tp + self._convolved(tp)


@dataclass(frozen=True)
class DeltaNet:
    """Gated delta net, the linear attention of Qwen3-Next."""

    key_heads: int
    value_heads: int
    key_dim: int
    value_dim: int
    conv: int

    kind = "linear attention state"

    def splits(self, tp: int) -> bool:
        return self.key_heads % tp == 0 and self.value_heads % tp == 0

    def _sizes(self, tp: int) -> tuple[int, int]:
        return self.key_heads * self.key_dim // tp, self.value_heads * self.value_dim // tp

    def count(self, hidden: int, tp: int) -> Count:
        (keys, values), heads = self._sizes(tp), self.value_heads // tp
        linear = hidden * (2 * keys + 2 * values + 2 * heads) + values * hidden
        plain = (2 * keys + values) * self.conv + 2 * heads + self.value_dim
        return Count(linear=linear, plain=plain)

    def state_numbers(self, tp: int) -> int:
        keys, values = self._sizes(tp)
        heads = self.value_heads // tp
        return (2 * keys + values) * (self.conv - 1) + heads * self.value_dim * self.key_dim

    def width(self, tp: int) -> int:
        keys, values = self._sizes(tp)
        return 2 * keys + 3 * values


#: What a layer does with a sequence. States are kept once a sequence, the others token by token.
State = Mamba1 | Mamba2 | DeltaNet
Mixer = Attention | Latent | State


@dataclass(frozen=True)
class Mlp:
    inner: int
    gated: bool
    bias: bool

    def splits(self, tp: int) -> bool:
        return self.inner % tp == 0

    def count(self, hidden: int, tp: int) -> Count:
        into = self.inner // tp * (2 if self.gated else 1)
        linear = hidden * into + self.inner // tp * hidden
        return Count(linear=linear, plain=(into + hidden) * self.bias)

    def width(self, tp: int) -> int:
        return self.inner // tp * (3 if self.gated else 2)


@dataclass(frozen=True)
class Experts:
    """``active`` of ``number`` experts a token, and a shared MLP of ``shared`` (0: none)."""

    number: int
    active: int
    inner: int
    shared: int
    shared_gate: bool
    biases: bool
    router_bias: bool

    def splits(self, tp: int) -> bool:
        return self.inner % tp == 0 and self.shared % tp == 0

    def count(self, hidden: int, tp: int) -> Count:
        inner = self.inner // tp
        plain = hidden * (self.number + self.shared_gate) + self.number * self.router_bias
        plain += self.number * (2 * inner + hidden) * self.biases
        return Count(
            experts=3 * hidden * inner * self.number,
            linear=3 * hidden * self.shared // tp,
            plain=plain,
        )

    def width(self, tp: int) -> int:
        return 3 * (ceil(self.inner / tp) * self.active + self.shared // tp)


@dataclass(frozen=True)
class Layer:
    """``mlp`` is None where the mixer is all there is."""

    mixer: Mixer
    mlp: Mlp | Experts | None

    def splits(self, tp: int) -> bool:
        return self.mixer.splits(tp) and (self.mlp is None or self.mlp.splits(tp))

    def count(self, hidden: int, tp: int) -> Count:
        mixed = self.mixer.count(hidden, tp)
        return mixed if self.mlp is None else mixed + self.mlp.count(hidden, tp)
