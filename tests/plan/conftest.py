from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from porter.plan.config import find_model
from porter.plan.fit import Want
from porter.plan.plan import Plan, plan_of
from porter.plan.shape import Shape, shape_of

SMALL = {
    "model_type": "llama",
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 4,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "vocab_size": 1000,
    "max_position_embeddings": 4096,
}


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """The folder of a model with the keys of a small one and those that are given."""

    def make(**keys: Any) -> Path:
        config = {key: value for key, value in {**SMALL, **keys}.items() if value != "absent"}
        (tmp_path / "config.json").write_text(json.dumps(config))
        return tmp_path

    return make


@pytest.fixture
def small(folder: Callable[..., Path]) -> Callable[..., Shape]:
    """The shape of a small model with the given keys."""
    return lambda **keys: shape_of(find_model(str(folder(**keys))))


@pytest.fixture(scope="session")
def plan() -> Callable[..., Plan]:
    """A plan for a well-known model."""

    def make(name: str, context: int, concurrency: int = 1, **more: Any) -> Plan:
        of = {key: more.pop(key) for key in ("card", "cards", "quantization") if key in more}
        want = Want(context, concurrency, **more)
        return plan_of(find_model(name), want, **{"card": "gaudi3", **of})

    return make
