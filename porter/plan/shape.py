"""From a config.json to the layers of the model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import ceil

from porter.plan.config import Model
from porter.plan.families import Family, find_family
from porter.plan.layers import (
    Attention,
    Count,
    DeltaNet,
    Experts,
    Latent,
    Layer,
    Mamba1,
    Mamba2,
    Mixer,
    Mlp,
    State,
)
from porter.table import Table

#: ``layer_types`` of transformers, in the words of this module.
_TYPES = {
    "full_attention": "full",
    "attention": "full",
    "sliding_attention": "window",
    "chunked_attention": "chunk",
    "linear_attention": "delta",
    "mamba": "mamba2",
}
_EXPERTS = ("num_local_experts", "num_experts", "n_routed_experts")
#: How keys begin that are about layers with a state.
_STATES = ("mamba_", "ssm_", "linear_", "hybrid_", "conv_")
#: vLLM pads an embedding to a multiple of so many rows, and then divides it.
_VOCABULARY_STEP = 64


@dataclass(frozen=True)
class Shape:
    """``limit`` is the longest context the model was made for, in tokens; None: there is none.

    ``table`` is the config, for whoever needs another key of it.
    """

    model: Model
    family: Family
    table: Table
    hidden: int
    vocabulary: int
    tied: bool
    positions: int
    limit: int | None
    layers: tuple[Layer, ...]

    @cached_property
    def attention(self) -> tuple[Attention | Latent, ...]:
        """The layers that keep keys and values of their own."""
        return tuple(
            mixer
            for mixer in self.mixers
            if isinstance(mixer, Latent) or (isinstance(mixer, Attention) and not mixer.shared)
        )

    @cached_property
    def distinct_attention(self) -> tuple[Attention | Latent, ...]:
        return tuple(dict.fromkeys(self.attention))

    @cached_property
    def mixers(self) -> tuple[Mixer, ...]:
        return tuple(layer.mixer for layer in self.layers)

    @cached_property
    def distinct_layers(self) -> Counter[Layer]:
        """How many there are of each; large models have many of few."""
        return Counter(self.layers)

    @cached_property
    def distinct_mixers(self) -> Counter[Mixer]:
        return Counter(self.mixers)

    @cached_property
    def states(self) -> tuple[State, ...]:
        return tuple(m for m in self.mixers if isinstance(m, (Mamba1, Mamba2, DeltaNet)))

    @property
    def windowed(self) -> bool:
        """Whether some layers attend to a part of the sequence alone."""
        return any(
            isinstance(mixer, Attention) and mixer.kind in ("sliding window", "chunked")
            for mixer in self.mixers
        )

    @property
    def latent(self) -> bool:
        return any(isinstance(mixer, Latent) for mixer in self.mixers)

    @property
    def parameters(self) -> int | None:
        """Of the whole model; None where they cannot be computed, nor are published."""
        if not self.family.formula:
            return self.model.parameters
        return self.count().total + self.model.other_parameters

    def splits(self, tp: int) -> bool:
        """Whether every layer divides over ``tp`` cards."""
        if self.family.one_card and tp > 1:
            return False
        return all(layer.splits(tp) for layer in self.distinct_layers)

    def count(self, tp: int = 1, *, padded: bool = False) -> Count:
        """Weights of the language model on one of ``tp`` cards; ``padded`` as vLLM pads them."""
        rows = self.vocabulary
        if padded or tp > 1:
            rows = ceil(rows / _VOCABULARY_STEP) * _VOCABULARY_STEP // tp
        norm = self.hidden * (2 if self.family.norm_bias else 1)
        plain = rows * self.hidden * (1 if self.tied else 2)
        plain += self.positions * self.hidden
        plain += norm * (self.family.norms * len(self.layers) + 1)
        counts = (layer.count(self.hidden, tp) * n for layer, n in self.distinct_layers.items())
        return sum(counts, Count(plain=plain))


def shape_of(model: Model) -> Shape:
    """Raises PorterError where config.json lacks a key, or one is of the wrong kind."""
    kind = model.config.get("model_type")
    if not isinstance(kind, str):
        raise model.table({}, {}).error("add model_type")
    family = find_family(kind)
    config = model.table(family.names, family.defaults)
    config = _without_unused_window(config)
    if not family.known:
        _require_attention_alone(config, kind)
    hidden, number = _positive(config, "hidden_size"), _positive(config, "num_hidden_layers")
    kinds = tuple(_kinds(config, kind, number))
    shared = config.number("num_kv_shared_layers") if config.has("num_kv_shared_layers") else 0
    layers = tuple(
        Layer(
            _mixer(config, family, kinds[i], hidden, shared=i >= number - shared),
            _mlp(config, family, kind, i, hidden),
        )
        for i in range(number)
    )
    tied = config.flag("tie_word_embeddings") if config.has("tie_word_embeddings") else family.tied
    limit = "max_position_embeddings"
    positions = family.positions is not None
    return Shape(
        model=model,
        family=family,
        table=config,
        hidden=hidden,
        vocabulary=_positive(config, "vocab_size"),
        tied=tied,
        positions=_positive(config, limit) if positions else 0,
        limit=_positive(config, limit) if config.has(limit) else None,
        layers=layers,
    )


def _require_attention_alone(config: Table, model_type: str) -> None:
    """A wrong plan is worse than none: only what looks like a plain decoder is taken for one."""
    if config.has("layer_types"):
        return
    for key in config.free():
        if key.startswith(_STATES):
            raise config.error(
                f"porter does not know {model_type}, and its {key} is no attention's"
            )


def _without_unused_window(config: Table) -> Table:
    if config.has("use_sliding_window") and not config.flag("use_sliding_window"):
        values = {k: v for k, v in config.free().items() if k != "sliding_window"}
        return Table(values, config.place)
    return config


def _positive(config: Table, key: str) -> int:
    value = config.number(key)
    if value < 1:
        raise config.error(f"{key} must be above zero, not {value}")
    return value


def _optional(config: Table, key: str) -> int | None:
    return _positive(config, key) if config.has(key) else None


def _kinds(config: Table, model_type: str, number: int) -> Iterator[str]:
    """Of each layer: full, window, chunk, mamba1, mamba2 or delta."""
    if config.has("layer_types"):
        yield from _listed(config, number)
        return
    for i in range(number):
        yield _kind(config, model_type, i)


def _listed(config: Table, number: int) -> Iterator[str]:
    types = config.texts("layer_types")
    if len(types) != number:
        raise config.error(f"layer_types must have {number} entries, as num_hidden_layers says")
    for name in types:
        if name not in _TYPES:
            raise config.error(f"layer_types: {name!r} is not known; known are {', '.join(_TYPES)}")
        yield _TYPES[name]


def _kind(config: Table, model_type: str, i: int) -> str:
    if model_type == "mamba":
        return "mamba1"
    if config.has("attn_layer_period"):
        period, offset = _positive(config, "attn_layer_period"), config.number("attn_layer_offset")
        return "full" if i % period == offset else "mamba1"
    if config.has("attn_layer_indices"):
        return "full" if i in config.numbers_of("attn_layer_indices") else "mamba2"
    if config.has("full_attention_interval"):
        return "delta" if (i + 1) % _positive(config, "full_attention_interval") else "full"
    if model_type == "llama4_text":
        rope = config.numbers_of("no_rope_layers") if config.has("no_rope_layers") else ()
        chunked = rope[i] if i < len(rope) else (i + 1) % 4
        return "chunk" if chunked and config.has("attention_chunk_size") else "full"
    if not config.has("sliding_window"):
        return "full"
    if config.has("sliding_window_pattern"):
        return "window" if (i + 1) % _positive(config, "sliding_window_pattern") else "full"
    return "window"


def _mixer(config: Table, family: Family, kind: str, hidden: int, *, shared: bool) -> Mixer:
    if kind == "mamba1":
        return _mamba1(config, hidden)
    if kind == "mamba2":
        return _mamba2(config, hidden)
    if kind == "delta":
        return DeltaNet(
            key_heads=_positive(config, "linear_num_key_heads"),
            value_heads=_positive(config, "linear_num_value_heads"),
            key_dim=_positive(config, "linear_key_head_dim"),
            value_dim=_positive(config, "linear_value_head_dim"),
            conv=_positive(config, "linear_conv_kernel_dim"),
        )
    heads = _positive(config, "num_attention_heads")
    if config.has("kv_lora_rank"):
        return Latent(
            heads=heads,
            rank=_positive(config, "kv_lora_rank"),
            rope_dim=_positive(config, "qk_rope_head_dim"),
            nope_dim=_positive(config, "qk_nope_head_dim"),
            value_dim=_positive(config, "v_head_dim"),
            query_rank=_optional(config, "q_lora_rank"),
        )
    bias = config.flag("attention_bias")
    return Attention(
        heads=heads,
        kv_heads=_kv_heads(config, heads),
        head_dim=_optional(config, "head_dim") or _head_dim(config, hidden, heads),
        window=_positive(config, "sliding_window") if kind == "window" else None,
        chunk=_positive(config, "attention_chunk_size") if kind == "chunk" else None,
        shared=shared,
        qkv_bias=bias or family.qkv_bias,
        output_bias=bias or family.output_bias,
        qk_norm=family.qk_norm,
        sinks=family.sinks,
        repeats=family.repeats_kv_heads,
        output_gate=family.output_gate,
    )


def _kv_heads(config: Table, heads: int) -> int:
    if config.flag("multi_query") and not config.flag("new_decoder_architecture"):
        return 1
    for key in ("num_key_value_heads", "num_kv_heads"):
        if config.has(key):
            kv_heads = _positive(config, key)
            if heads % kv_heads:
                raise config.error(f"{key}: {kv_heads} must divide the {heads} attention heads")
            return kv_heads
    return heads


def _head_dim(config: Table, hidden: int, heads: int) -> int:
    if hidden % heads:
        raise config.error(f"add head_dim: {heads} heads do not divide the hidden_size of {hidden}")
    return hidden // heads


def _mamba1(config: Table, hidden: int) -> Mamba1:
    if config.has("mamba_d_state"):
        return Mamba1(
            inner=_positive(config, "mamba_expand") * hidden,
            state=_positive(config, "mamba_d_state"),
            conv=_positive(config, "mamba_d_conv"),
            dt_rank=_optional(config, "mamba_dt_rank") or ceil(hidden / 16),
            norms=True,
            conv_bias=config.flag("mamba_conv_bias"),
        )
    return Mamba1(
        inner=_optional(config, "intermediate_size") or _positive(config, "expand") * hidden,
        state=_positive(config, "state_size"),
        conv=_positive(config, "conv_kernel"),
        dt_rank=_positive(config, "time_step_rank"),
        norms=False,
        conv_bias=config.flag("use_conv_bias"),
    )


def _mamba2(config: Table, hidden: int) -> Mamba2:
    return Mamba2(
        inner=_positive(config, "mamba_expand") * hidden,
        heads=_positive(config, "mamba_n_heads"),
        head_dim=_positive(config, "mamba_d_head"),
        groups=_positive(config, "mamba_n_groups"),
        state=_positive(config, "mamba_d_state"),
        conv=_positive(config, "mamba_d_conv"),
        conv_bias=config.flag("mamba_conv_bias"),
    )


def _mlp(
    config: Table, family: Family, model_type: str, i: int, hidden: int
) -> Mlp | Experts | None:
    if model_type == "mamba":
        return None
    experts = next((config.number(key) for key in _EXPERTS if config.has(key)), 0)
    if experts and _has_experts(config, i):
        return _experts(config, model_type, experts)
    inner = _dense(config, i) if family.gated else _optional(config, "intermediate_size")
    bias = family.mlp_bias or config.flag("mlp_bias")
    return Mlp(inner or 4 * hidden, family.gated, bias)


def _dense(config: Table, i: int) -> int:
    """The inner size of an MLP without experts; Gemma 3n lists that of each layer."""
    dense = "intermediate_size_mlp" if config.has("intermediate_size_mlp") else "intermediate_size"
    if isinstance(config.free().get(dense), list):
        sizes = config.numbers_of(dense)
        if i >= len(sizes):
            raise config.error(f"{dense} must have an entry for each layer")
        return sizes[i]
    return _positive(config, dense)


def _has_experts(config: Table, i: int) -> bool:
    if config.has("first_k_dense_replace"):
        return i >= config.number("first_k_dense_replace")
    if config.has("interleave_moe_layer_step"):
        return (i + 1) % _positive(config, "interleave_moe_layer_step") == 0
    if config.has("expert_layer_period"):
        period = _positive(config, "expert_layer_period")
        return i % period == config.number("expert_layer_offset")
    if config.has("decoder_sparse_step"):
        skipped = config.numbers_of("mlp_only_layers") if config.has("mlp_only_layers") else ()
        return i not in skipped and (i + 1) % _positive(config, "decoder_sparse_step") == 0
    return True


def _experts(config: Table, model_type: str, number: int) -> Experts:
    inner = _optional(config, "moe_intermediate_size") or _positive(config, "intermediate_size")
    shared = 0
    if config.has("n_shared_experts"):
        shared = config.number("n_shared_experts") * inner
    elif model_type == "llama4_text":
        shared = inner
    else:
        for key in ("shared_expert_intermediate_size", "shared_intermediate_size"):
            shared = shared or _optional(config, key) or 0
    biases = model_type == "gpt_oss"
    noaux = config.has("topk_method") and config.text("topk_method") == "noaux_tc"
    return Experts(
        number=number,
        active=_positive(config, "num_experts_per_tok"),
        inner=inner,
        shared=shared,
        shared_gate=config.has("shared_expert_intermediate_size"),
        biases=biases,
        router_bias=biases or noaux,
    )
