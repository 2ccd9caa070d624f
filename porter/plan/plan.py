"""A plan: what a model needs, where it fits, and how to start it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from porter.errors import PorterError
from porter.plan.cache import CacheRules, Row, pool_bytes, rows, sequence_bytes, token_bytes
from porter.plan.cards import CARDS_PER_NODE, COUNTS, find_card
from porter.plan.config import Model
from porter.plan.fit import Fit, Plant, Want, fit, largest_concurrency, largest_context
from porter.plan.layers import Attention, Count
from porter.plan.quantization import PLAIN, Quantization, quantization_of
from porter.plan.serve import Value, bucket_ranges, environment, vllm_args
from porter.plan.shape import Shape, shape_of
from porter.plan.transfer import CHUNK, Transfer, transfer_of

#: Bytes a second. What a store over 200 Gb/s may give; the guide names 16 to 21 GB/s.
SPEED = 16e9


@dataclass(frozen=True)
class Option:
    """A number of cards, how it is filled, and how much more would fit on it."""

    fit: Fit
    longest_context: int
    most_sequences: int


@dataclass(frozen=True)
class Plan:
    """``only`` is the number of cards that was asked for, None for any."""

    plant: Plant
    want: Want
    only: int | None = None
    speed: float = SPEED

    @property
    def shape(self) -> Shape:
        return self.plant.shape

    @property
    def title(self) -> str:
        """For a view of several contexts."""
        return (
            f"{self.shape.model.name}, {self.want.concurrency} at a time, {self.plant.card.title}"
        )

    @cached_property
    def options(self) -> tuple[Option, ...]:
        """For every number of cards that the model divides over."""
        return tuple(self._option(cards) for cards in self._counts if self.shape.splits(cards))

    @property
    def undivided(self) -> tuple[int, ...]:
        """Numbers of cards that the model does not divide over."""
        return tuple(cards for cards in self._counts if not self.shape.splits(cards))

    @property
    def _counts(self) -> tuple[int, ...]:
        return COUNTS if self.only is None else (self.only,)

    def _option(self, cards: int) -> Option:
        return Option(
            fit=fit(self.plant, self.want, cards),
            longest_context=largest_context(self.plant, self.want, cards),
            most_sequences=largest_concurrency(self.plant, self.want, cards),
        )

    @property
    def chosen(self) -> Fit | None:
        """The fewest cards on which it fits."""
        return next((option.fit for option in self.options if option.fit.fits), None)

    @property
    def start(self) -> Fit | None:
        """What the arguments are for: where it fits, or the most cards where it does not."""
        return self.chosen or (self.options[-1].fit if self.options else None)

    @property
    def fits(self) -> bool:
        return self.chosen is not None

    @property
    def weight_bytes(self) -> int:
        return self.plant.weight_bytes(1)

    @property
    def kv_cache_bytes(self) -> int:
        """Of all sequences, by vLLM's own rules, as if on one card."""
        return self.want.concurrency * sequence_bytes(self.shape, self._own_rules)

    @property
    def sequence_bytes(self) -> int:
        return sequence_bytes(self.shape, self._own_rules)

    @property
    def plugin_bytes(self) -> int:
        """As ``kv_cache_bytes``, by what the Gaudi plugin keeps."""
        return pool_bytes(self.shape, self.want.rules, 1, self.want.concurrency)

    @property
    def token_bytes(self) -> int:
        return token_bytes(self.shape, self.want.number)

    @property
    def rows(self) -> tuple[Row, ...]:
        return tuple(rows(self.shape, self.want.rules))

    @property
    def _own_rules(self) -> CacheRules:
        return replace(self.want.rules, whole_windows=False)

    @property
    def args(self) -> dict[str, Value]:
        return vllm_args(self.plant, self.want, self.start) if self.start else {}

    @property
    def environment(self) -> dict[str, str]:
        return environment(self.plant, self.want, self.args)

    @property
    def buckets(self) -> dict[str, str]:
        return bucket_ranges(self.want)

    @property
    def transfer(self) -> Transfer | None:
        """What LMCache would move; None for models that it is refused for."""
        if self.start is None:
            return None
        return transfer_of(
            self.shape,
            self.plant.card,
            context=self.want.context,
            concurrency=self.want.concurrency,
            number=self.want.number,
            tp=self.start.cards,
            speed=self.speed,
        )

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(_notes(self))


def plan_of(
    model: Model,
    want: Want,
    *,
    card: str,
    cards: int | None = None,
    quantization: Quantization | None = None,
    speed: float = SPEED,
) -> Plan:
    """Raises PorterError where the model's config.json lacks something."""
    shape = shape_of(model)
    size = model.checkpoint_bytes if quantization is None else None
    if not shape.family.formula and size is None and model.parameters is not None:
        size = (quantization or quantization_of(shape)).bytes(Count(linear=model.parameters))
    if not shape.family.formula and size is None:
        raise PorterError(
            f"{model.source}: the weights of {model.config['model_type']} are not computed; "
            "give a folder that has model.safetensors.index.json too"
        )
    plant = Plant(
        shape=shape,
        quantization=quantization_of(shape) if quantization is None else quantization,
        card=find_card(card),
        checkpoint=size,
        other=model.other_parameters * PLAIN,
    )
    return Plan(plant, want, cards, speed)


def _notes(plan: Plan) -> Iterator[str]:
    """What a reader could take wrong."""
    shape, want, start = plan.shape, plan.want, plan.start
    kind = shape.model.config["model_type"]
    if not shape.family.known:
        yield f"porter does not know {kind}, and takes it for a decoder like Llama: check that"
    if shape.model.has_more and plan.plant.checkpoint is None and not plan.plant.other:
        yield "Weights beside the language model, as a vision tower, are not in the sum"
    if shape.windowed:
        yield (
            "The Gaudi plugin keeps all tokens of sliding window and chunked layers; what fits "
            "is judged by that, not by vLLM's own rules"
        )
    if shape.states:
        yield (
            "The Gaudi plugin gives every block of its pool room for a state, which is what is "
            "judged. LMCache is refused for models with states"
        )
    if shape.limit is not None and want.context > shape.limit:
        yield f"The model was made for {shape.limit:,} tokens: beyond it answers get worse"
    if not plan.plant.quantization.supported:
        yield (
            f"The Gaudi plugin does not take the quantization {plan.plant.quantization.name}: "
            "the weights are counted in bf16"
        )
    if want.number == 1:
        yield "fp8_inc needs calibrated scales: QUANT_CONFIG names the file that INC wrote"
    if plan.undivided:
        counts = ", ".join(map(str, plan.undivided))
        yield f"Its heads or layers do not divide over {counts} cards"
    if start is None:
        return
    yield from _notes_of(plan, start)


def _notes_of(plan: Plan, start: Fit) -> Iterator[str]:
    kv_heads = min(
        (m.kv_heads for m in plan.shape.attention if isinstance(m, Attention)), default=0
    )
    if kv_heads and start.cards > kv_heads:
        yield (
            f"{kv_heads} KV heads on {start.cards} cards: each is on "
            f"{start.cards // kv_heads} of them, and the cache is no smaller than on {kv_heads}"
        )
    if plan.shape.latent and start.cards > 1:
        yield "MLA keeps the same on every card: a token takes no less room on more cards"
    if start.cards > CARDS_PER_NODE:
        yield "More than one node: the plugin calls that a future feature"
    if plan.transfer is not None and plan.want.context < CHUNK:
        yield f"LMCache stores whole chunks of {CHUNK} tokens: nothing of so short a context"
