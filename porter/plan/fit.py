"""What fits on how many cards, and how much more would."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import floor

from porter.plan.cache import BLOCK, CacheRules, pad_bytes, pool_bytes
from porter.plan.cards import Card
from porter.plan.quantization import Quantization
from porter.plan.shape import Shape
from porter.plan.workspace import Load, workspace_bytes

#: vLLM's default, and the plugin's of VLLM_GRAPH_RESERVED_MEM.
UTILIZATION, GRAPHS = 0.9, 0.1
#: Tokens of a step unless the user says otherwise: the plugin's largest prompt bucket.
STEP = 8192
#: Sequences. More are not looked for.
MOST = 4096
#: Tokens. Longer contexts are not looked for.
LONGEST = 2**24


@dataclass(frozen=True)
class Want:
    """What is to fit. ``utilization`` None: 0.9, or less where a step needs more room."""

    context: int
    concurrency: int
    step: int | None = None
    number: int = 2
    utilization: float | None = None
    graphs: float = GRAPHS

    @property
    def step_tokens(self) -> int:
        return self.step or min(STEP, -(-self.context // BLOCK) * BLOCK)

    @property
    def rules(self) -> CacheRules:
        """Two steps are in flight, as vLLM schedules by default."""
        return CacheRules(self.context, self.number, in_flight=2 * self.step_tokens)

    @property
    def load(self) -> Load:
        return Load(self.context, self.concurrency, self.step_tokens, self.number)


@dataclass(frozen=True)
class Plant:
    """What the memory is needed for: a model, its quantization, a kind of card.

    ``checkpoint`` is what the checkpoint itself takes, None where that is computed;
    ``other`` are weights that every card has whole, such as a vision tower's.
    """

    shape: Shape
    quantization: Quantization
    card: Card
    checkpoint: int | None = None
    other: int = 0

    def weight_bytes(self, tp: int) -> int:
        """On one card. A checkpoint's own size is divided as the computed one is."""
        computed = self.quantization.bytes(self.shape.count(tp))
        if self.checkpoint is None:
            return computed + self.other
        whole = self.quantization.bytes(self.shape.count()) + self.other
        return -(-self.checkpoint * (computed + self.other) // whole)


@dataclass(frozen=True)
class Fit:
    """One card of ``cards``. All in bytes.

    ``free`` is what the weights leave. Of it, ``utilization`` is for the cache and graphs, and
    the rest for steps: ``cache`` has to fit into ``room``, ``workspace`` into ``margin``.
    """

    cards: int
    weights: int
    cache: int
    workspace: int
    free: int
    utilization: float
    room: int
    margin: int

    @property
    def fits(self) -> bool:
        return self.cache <= self.room and self.workspace <= self.margin


def fit(plant: Plant, want: Want, cards: int) -> Fit:
    """How ``want`` fills ``cards`` cards, with the model spread over all of them.

    The budget is that of the plugin's ``determine_available_memory``.
    """
    weights = plant.weight_bytes(cards)
    workspace = workspace_bytes(plant.shape, want.load, cards)
    free = max(0, plant.card.visible - weights)
    utilization = want.utilization or _utilization(free, workspace)
    usable = int(free * utilization)
    pad = pad_bytes(plant.shape, want.number, cards)
    return Fit(
        cards=cards,
        weights=weights,
        cache=pool_bytes(plant.shape, want.rules, cards, want.concurrency),
        workspace=workspace,
        free=free,
        utilization=utilization,
        room=max(0, int(usable * (1 - want.graphs)) - pad),
        margin=free - usable,
    )


def _utilization(free: int, workspace: int) -> float:
    """vLLM's default, or in steps of a hundredth what leaves room for ``workspace``."""
    if free <= 0:
        return UTILIZATION
    return max(0.01, min(UTILIZATION, floor((1 - workspace / free) * 100) / 100))


def largest_concurrency(plant: Plant, want: Want, cards: int) -> int:
    """How many sequences of ``want.context`` fit; 0: none."""
    return _largest(MOST, lambda n: fit(plant, replace(want, concurrency=n), cards).fits)


def largest_context(plant: Plant, want: Want, cards: int) -> int:
    """The longest context, in tokens, at ``want.concurrency``: whole blocks; 0: none.

    It never passes the model's own limit, nor 16M tokens. A step is as ``want`` has it.
    """
    limit = min(plant.shape.limit or LONGEST, LONGEST)
    fixed = replace(want, step=want.step_tokens)

    def fits(blocks: int) -> bool:
        return fit(plant, replace(fixed, context=blocks * BLOCK), cards).fits

    return _largest(limit // BLOCK, fits) * BLOCK


def _largest(top: int, holds: Callable[[int], bool]) -> int:
    """The largest of 1 … ``top`` for which ``holds``, which no larger one does after a gap."""
    low, high = 0, top
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low
