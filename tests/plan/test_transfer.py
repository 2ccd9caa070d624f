from __future__ import annotations

import pytest

from porter.plan.cards import find_card
from porter.plan.config import find_model
from porter.plan.shape import shape_of
from porter.plan.transfer import transfer_of


def transfer(name: str, context: int = 131_072, tp: int = 1, **more):
    return transfer_of(
        shape_of(find_model(name)),
        find_card("gaudi3"),
        **{
            "context": context,
            "concurrency": 1,
            "number": 2,
            "tp": tp,
            "speed": 16e9,
            **more,
        },
    )


def test_llama_8b():
    moved = transfer("Llama-3.1-8B")
    assert moved.token == 131_072
    assert moved.chunk == 256 * 131_072
    assert moved.sequence == 131_072 * 131_072
    assert moved.seconds == pytest.approx(131_072**2 / 16e9)
    assert moved.local_cpu_gib == 16


def test_the_rest_of_a_chunk_is_not_stored():
    assert transfer("Llama-3.1-8B", context=1000).sequence == 768 * 131_072
    assert transfer("Llama-3.1-8B", context=255).sequence == 0


def test_workers_store_what_is_theirs():
    assert transfer("Llama-3.1-8B", tp=8).token == 131_072
    assert transfer("Llama-3.1-8B", tp=8).local_cpu_gib == 2
    # 8 KV heads on 16 cards: each head is stored twice.
    assert transfer("Llama-3.1-8B", tp=16).token == 2 * 131_072


def test_of_mla_one_worker_stores():
    alone, many = transfer("DeepSeek-V3"), transfer("DeepSeek-V3", tp=8)
    assert (many.workers, many.token) == (1, alone.token)


def test_a_card_is_no_faster_than_its_link():
    assert transfer("Llama-3.1-8B", speed=1e12).speed == 64e9
    assert transfer("Llama-3.1-8B", tp=8, speed=1e12).speed == 8 * 64e9


def test_not_for_states():
    assert transfer("Jamba-v0.1") is None
    assert transfer("mamba-2.8b-hf") is None
