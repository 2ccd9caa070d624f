from __future__ import annotations

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from porter.plan.cache import (
    BLOCK,
    CacheRules,
    layer_bytes,
    pad_bytes,
    page_bytes,
    pool_bytes,
    rows,
    sequence_bytes,
    token_bytes,
)
from porter.plan.config import find_model, known_models
from porter.plan.layers import Attention
from porter.plan.shape import shape_of

SHAPES = {model.name: shape_of(model) for model in known_models()}
TOKENS = st.integers(1, 300_000)


def shape(name: str):
    return SHAPES[find_model(name).name]


def test_llama_70b_at_128k_times_4_is_160_gib():
    assert 4 * sequence_bytes(shape("Llama-3.1-70B"), CacheRules(131_072)) == 160 * 2**30


@pytest.mark.parametrize(
    ("name", "number", "a_token"),
    [
        ("Llama-3.1-8B", 2, 2 * 8 * 128 * 2 * 32),
        ("Llama-3.1-8B", 1, 2 * 8 * 128 * 32),
        ("Llama-3.1-405B", 2, 2 * 8 * 128 * 2 * 126),
        ("Llama-2-7b-hf", 2, 2 * 32 * 128 * 2 * 32),
        ("falcon-7b", 2, 2 * 1 * 64 * 2 * 32),
        ("DeepSeek-V3", 2, (512 + 64) * 2 * 61),
        ("Jamba-v0.1", 2, 2 * 8 * 128 * 2 * 4),
        ("mamba-2.8b-hf", 2, 0),
    ],
)
def test_what_a_token_takes(name, number, a_token):
    assert token_bytes(shape(name), number) == a_token


@given(context=TOKENS)
def test_whole_blocks_are_taken(context):
    assert sequence_bytes(shape("Llama-3.1-8B"), CacheRules(context)) == (
        ceil(context / BLOCK) * BLOCK * token_bytes(shape("Llama-3.1-8B"), 2)
    )


def test_a_window_holds_itself_what_is_in_flight_and_one_block():
    window = Attention(heads=8, kv_heads=1, head_dim=64, window=1024)
    page = page_bytes(window, 1, 2)
    rules = CacheRules(131_072, in_flight=16_384, whole_windows=False)
    assert layer_bytes(window, rules) == (ceil((1023 + 16_384) / 128) + 1) * page
    assert layer_bytes(window, CacheRules(131_072, in_flight=16_384)) == 1024 * page


def test_a_chunk_has_no_block_more():
    chunked = Attention(heads=8, kv_heads=1, head_dim=64, chunk=8192)
    rules = CacheRules(131_072, in_flight=16_384, whole_windows=False)
    assert layer_bytes(chunked, rules) == (8192 + 16_384) // 128 * page_bytes(chunked, 1, 2)


@given(name=st.sampled_from(sorted(SHAPES)), shorter=TOKENS, longer=TOKENS)
def test_a_longer_context_never_takes_less(name, shorter, longer):
    shorter, longer = sorted((shorter, longer))
    for whole in (True, False):
        sizes = [
            sequence_bytes(SHAPES[name], CacheRules(n, in_flight=16_384, whole_windows=whole))
            for n in (shorter, longer)
        ]
        assert sizes[0] <= sizes[1]


@given(name=st.sampled_from(sorted(SHAPES)), context=TOKENS)
def test_all_cards_together_have_at_least_the_whole(name, context):
    shape, rules = SHAPES[name], CacheRules(context)
    whole = sequence_bytes(shape, rules)
    for cards in filter(shape.splits, (1, 2, 4, 8, 16, 32)):
        assert sequence_bytes(shape, rules, cards) <= whole
        assert sequence_bytes(shape, rules, cards) * cards >= whole


def test_the_pad_block_is_one_more_block():
    llama = shape("Llama-3.1-8B")
    assert pad_bytes(llama, 2, 1) == sequence_bytes(llama, CacheRules(BLOCK))


def test_a_pool_of_one_kind_of_layers_is_the_sum_of_its_sequences():
    llama, rules = shape("Llama-3.1-8B"), CacheRules(4096)
    assert pool_bytes(llama, rules, 2, 3) == 3 * sequence_bytes(llama, rules, 2)


def test_a_hybrid_pool_has_room_for_a_state_in_every_block():
    # granite-4.0-h-small by hand: a block is of 16-token steps and holds as much as a state.
    granite, context = shape("granite-4.0-h-small"), 131_072
    state, token = (3 * (8192 + 256) + 128 * 64 * 128) * 2, 2 * 8 * 128 * 2
    tokens = 16 * ceil(state / (16 * token))
    assert tokens == 528
    blocks = ceil(context / tokens) + 36 // 4
    expected = blocks * 4 * (tokens * token + state)
    assert pool_bytes(granite, CacheRules(context), 1, 1) == expected
    assert pool_bytes(granite, CacheRules(context), 1, 1) > sequence_bytes(
        granite, CacheRules(context)
    )


def test_rows_add_up_to_the_sequence():
    for each in SHAPES.values():
        rules = CacheRules(32_768, in_flight=16_384, whole_windows=False)
        total = sum(row.layers * row.sequence for row in rows(each, rules))
        assert total == sequence_bytes(each, rules)
