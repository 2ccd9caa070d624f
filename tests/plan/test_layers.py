from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from porter.plan.layers import Attention, Count, DeltaNet, Experts, Latent, Mamba1, Mamba2, Mlp

HIDDEN = 96
POWERS = st.sampled_from([1, 2, 4, 8])


def test_attention_by_hand():
    attention = Attention(heads=8, kv_heads=2, head_dim=16, qkv_bias=True, qk_norm=True, sinks=True)
    count = attention.count(HIDDEN, 1)
    queries, keys = 8 * 16, 2 * 16
    assert count.linear == HIDDEN * (queries + 2 * keys) + queries * HIDDEN
    assert count.plain == queries + 2 * keys + 2 * 16 + 8


@pytest.mark.parametrize(("tp", "heads"), [(1, 4), (2, 2), (4, 1), (8, 1), (16, 1)])
def test_kv_heads_are_repeated_beyond_one_a_card(tp, heads):
    attention = Attention(heads=32, kv_heads=4, head_dim=128)
    assert attention.kv_heads_per_card(tp) == heads
    assert attention.token_bytes(tp, 2) == 2 * heads * 128 * 2


def test_a_shared_layer_keeps_nothing():
    assert Attention(8, 2, 16, shared=True).token_bytes(1, 2) == 0


@pytest.mark.parametrize(
    ("heads", "kv_heads", "tp", "splits"),
    [(64, 8, 16, True), (40, 10, 4, False), (40, 10, 5, True), (71, 1, 1, True), (71, 1, 2, False)],
)
def test_what_divides(heads, kv_heads, tp, splits):
    assert Attention(heads, kv_heads, 64).splits(tp) is splits


def test_a_latent_vector_is_whole_on_every_card():
    latent = Latent(heads=128, rank=512, rope_dim=64, nope_dim=128, value_dim=128, query_rank=1536)
    assert latent.token_bytes(1, 2) == latent.token_bytes(8, 2) == (512 + 64) * 2
    assert latent.unfolded(1) == 8 * latent.unfolded(8) == 512 * 128 * 256


def test_states_do_not_depend_on_a_length():
    assert Mamba1(inner=8192, state=16, conv=4, dt_rank=256, norms=True).state_numbers(1) == (
        3 * 8192 + 8192 * 16
    )
    mamba2 = Mamba2(inner=8192, heads=128, head_dim=64, groups=1, state=128, conv=4)
    assert mamba2.state_numbers(1) == 3 * (8192 + 2 * 128) + 128 * 64 * 128
    # One group on two cards: each has one.
    assert mamba2.state_numbers(2) == 3 * (8192 + 4 * 128) // 2 + 64 * 64 * 128
    delta = DeltaNet(key_heads=16, value_heads=32, key_dim=128, value_dim=128, conv=4)
    assert delta.state_numbers(1) == 3 * 8192 + 32 * 128 * 128


def test_experts_by_hand():
    experts = Experts(
        number=4, active=2, inner=32, shared=64, shared_gate=True, biases=True, router_bias=True
    )
    count = experts.count(HIDDEN, 1)
    assert count.experts == 4 * 3 * HIDDEN * 32
    assert count.linear == 3 * HIDDEN * 64
    assert count.plain == 4 * HIDDEN + HIDDEN + 4 + 4 * (2 * 32 + HIDDEN)


def test_an_mlp_without_a_gate_has_two_matrices():
    assert Mlp(inner=32, gated=False, bias=True).count(HIDDEN, 1) == Count(
        linear=2 * HIDDEN * 32, plain=32 + HIDDEN
    )


@given(tp=POWERS, kv_heads=POWERS)
def test_no_card_has_more_than_the_whole_and_all_have_at_least_it(tp, kv_heads):
    parts = [
        Attention(heads=8, kv_heads=kv_heads, head_dim=16),
        Latent(heads=8, rank=32, rope_dim=8, nope_dim=16, value_dim=16, query_rank=None),
        Mamba1(inner=64, state=8, conv=4, dt_rank=8, norms=True),
        Mamba2(inner=64, heads=8, head_dim=8, groups=1, state=8, conv=4),
        DeltaNet(key_heads=8, value_heads=8, key_dim=8, value_dim=8, conv=4),
        Mlp(inner=64, gated=True, bias=False),
    ]
    for part in parts:
        assert part.splits(tp)
        whole, card = part.count(HIDDEN, 1).total, part.count(HIDDEN, tp).total
        assert card <= whole <= card * tp
