"""The cards: ``cards.toml``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from porter.table import Table
from porter.toml import read_toml

GIB = 2**30
#: As many as one vLLM can be spread over here: four nodes of eight.
COUNTS = (1, 2, 4, 8, 16, 32)
CARDS_PER_NODE = 8
NAMES = ("gaudi2", "gaudi3")

_FILE = Path(__file__).with_name("cards.toml")


@dataclass(frozen=True)
class Card:
    """``visible`` is bytes that a process has, ``host`` bytes a second to the host, at most."""

    name: str
    title: str
    nominal: int
    visible: int
    host: float


def find_card(name: str) -> Card:
    return _cards()[name]


@cache
def _cards() -> dict[str, Card]:
    return {
        name: Card(
            name=name,
            title=row.text("title"),
            nominal=row.number("nominal_gib") * GIB,
            visible=int(row.limit("visible_gib") * GIB),
            host=row.limit("host_gb_s") * 1e9,
        )
        for name, row in Table(read_toml(_FILE), _FILE.name).tables().items()
    }
