"""Random numbers: one generator, because there is one card."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from porter.emulator.build import load

from ._utils import _get_device_index

_device = load()
default_generators = (_device.default_generator(),)


def get_rng_state(device: Any = "hpu") -> torch.Tensor:
    return _generator(device).get_state()


def get_rng_state_all() -> list[torch.Tensor]:
    return [get_rng_state()]


def set_rng_state(new_state: torch.Tensor, device: Any = "hpu") -> None:
    _generator(device).set_state(new_state)


def set_rng_state_all(new_states: Sequence[torch.Tensor]) -> None:
    """Raises RuntimeError unless there is one state: those of several cards do not load."""
    if len(new_states) != 1:
        raise RuntimeError(f"one card takes one state, not {len(new_states)}")
    set_rng_state(new_states[0])


def manual_seed(seed: int) -> None:
    default_generators[0].manual_seed(int(seed))


def manual_seed_all(seed: int) -> None:
    manual_seed(seed)


def seed() -> int:
    return int(default_generators[0].seed())


def seed_all() -> int:
    return seed()


def initial_seed() -> int:
    return int(default_generators[0].initial_seed())


def _generator(device: Any) -> torch.Generator:
    index = _get_device_index(device, optional=True)
    if index:
        raise RuntimeError(f"no device hpu:{index}: one process has one card, hpu:0")
    return default_generators[0]
