"""Settings for the compiler of inference graphs, which is not here: they have no effect."""

from __future__ import annotations

from typing import Any


def hpu_initialize(
    model: Any = None,
    mark_only_scales_as_const: bool = False,
    optimizer: Any = None,
    args: Any = None,
) -> None: ...


def hpu_inference_initialize(
    model: Any = None,
    mark_only_scales_as_const: bool = False,
    optimizer: Any = None,
    args: Any = None,
) -> None: ...


def hpu_set_env(model: Any = None) -> None: ...


def hpu_set_inference_env(model: Any = None) -> None: ...


def hpu_reset_env() -> None: ...


def hpu_teardown_inference_env() -> None: ...
