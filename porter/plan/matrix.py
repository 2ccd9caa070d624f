"""The guide's context matrix, computed: what each length of context takes, and where it fits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from porter.plan.cards import CARDS_PER_NODE, COUNTS
from porter.plan.fit import fit, largest_concurrency
from porter.plan.plan import Plan

#: Tokens: 2K to 256K, the guide's rows.
CONTEXTS = tuple(2**power for power in range(11, 19))


@dataclass(frozen=True)
class MatrixRow:
    """``cards`` is the fewest on which ``concurrency`` sequences fit, None: not on 32.

    ``on_node`` is how many sequences fit on the eight cards of a node; 0: none, or the model
    does not divide over them.
    """

    context: int
    sequence_bytes: int
    cache_bytes: int
    cards: int | None
    on_node: int
    beyond_limit: bool


def matrix(plan: Plan) -> Iterator[MatrixRow]:
    """For the plan's model, concurrency and card; its context is not looked at."""
    shape, plant = plan.shape, plan.plant
    for context in CONTEXTS:
        want = replace(plan.want, context=context)
        row = replace(plan, want=want)
        counts = (n for n in COUNTS if shape.splits(n) and fit(plant, want, n).fits)
        yield MatrixRow(
            context=context,
            sequence_bytes=row.sequence_bytes,
            cache_bytes=row.kv_cache_bytes,
            cards=next(counts, None),
            on_node=_on_node(row),
            beyond_limit=shape.limit is not None and context > shape.limit,
        )


def _on_node(plan: Plan) -> int:
    if not plan.shape.splits(CARDS_PER_NODE):
        return 0
    return largest_concurrency(plan.plant, plan.want, CARDS_PER_NODE)


def matrix_document(plan: Plan) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "model": plan.shape.model.name,
        "card": plan.plant.card.name,
        "concurrency": plan.want.concurrency,
        "rows": [vars(row) for row in matrix(plan)],
    }
