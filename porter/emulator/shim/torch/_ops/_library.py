"""How an op becomes one of ``torch.ops.hpu``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

_library = torch.library.Library("hpu", "FRAGMENT")


def op(schema: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function for tensors on hpu, and for those of the compiler that have no data."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        name = schema.partition("(")[0]
        _library.define(schema)
        for key in ("HPU", "Meta"):
            _library.impl(name, function, key)
        return function

    return register
