"""What an architecture has that its config.json does not say: ``families.toml``."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from porter.table import Table
from porter.toml import read_toml

_FILE = Path(__file__).with_name("families.toml")


@dataclass(frozen=True)
class Family:
    """``known`` is False for a model_type without a row: it is taken for a plain decoder."""

    known: bool = True
    formula: bool = True
    qkv_bias: bool = False
    output_bias: bool = False
    mlp_bias: bool = False
    qk_norm: bool = False
    sinks: bool = False
    output_gate: bool = False
    repeats_kv_heads: bool = True
    one_card: bool = False
    norms: int = 2
    norm_bias: bool = False
    gated: bool = True
    tied: bool = False
    positions: str | None = None
    names: dict[str, str] = field(default_factory=dict)
    defaults: dict[str, Any] = field(default_factory=dict)


def find_family(model_type: str) -> Family:
    """The row of ``model_type``, or that of a plain decoder."""
    row = _rows().get(model_type)
    return Family(known=False) if row is None else Family(**row.free())


@cache
def _rows() -> dict[str, Table]:
    return Table(read_toml(_FILE), _FILE.name).tables()
