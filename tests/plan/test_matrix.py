from __future__ import annotations

from porter.plan.matrix import matrix, matrix_document


def test_from_2k_to_256k(plan):
    rows = list(matrix(plan("Llama-3.1-8B", 1, 16)))
    assert [row.context for row in rows] == [2**n for n in range(11, 19)]
    assert [row.sequence_bytes for row in rows] == [row.context * 131_072 for row in rows]
    assert [row.beyond_limit for row in rows] == [False] * 7 + [True]
    assert rows[0].cards == 1


def test_longer_never_needs_fewer_cards(plan):
    for name in ("Llama-3.1-70B", "gemma-3-27b-it", "DeepSeek-V3"):
        rows = list(matrix(plan(name, 1, 8)))
        cards = [row.cards or 99 for row in rows]
        assert cards == sorted(cards)
        assert [row.on_node for row in rows] == sorted((r.on_node for r in rows), reverse=True)


def test_a_model_that_does_not_divide(plan):
    assert {row.on_node for row in matrix(plan("falcon-7b", 1))} == {0}


def test_as_json(plan):
    document = matrix_document(plan("Llama-3.1-8B", 1))
    assert document["rows"][0]["context"] == 2048
    assert len(document["rows"]) == 8
