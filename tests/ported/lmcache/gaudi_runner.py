"""A stand-in of the model runner of vLLM's Gaudi plugin: what it asks of a connector, in its order.

It is written from what the plugin is known to do, and holds none of it. A step is

    bind_connector_metadata, start_load_kv
    a forward pass for each prompt, then one for all that decode
    wait_for_save, get_finished
    clear_connector_metadata, but not with asynchronous scheduling

``scripts/check_vllm_gaudi`` runs the real one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

import kv_reference as ref
import torch

VOCABULARY, BLOCKS, DTYPE = 64, 24, torch.bfloat16


@dataclass
class Sequence:
    """The tokens of a request, the blocks that it has, and how many tokens it need not compute."""

    name: str
    ids: list[int]
    blocks: list[int]
    computed: int = 0
    # What each layer has read when it ran, for every token; filled in by the forward pass.
    read: list[torch.Tensor] = field(default_factory=list)

    @property
    def slots(self) -> torch.Tensor:
        slots = torch.tensor(self.blocks)[:, None] * ref.BLOCK + torch.arange(ref.BLOCK)
        return slots.flatten()[: len(self.ids)]

    @property
    def is_prompt(self) -> bool:
        return len(self.ids) - self.computed > 1


class Attention:
    """Writes a token's key and value, which are two rows of a table, and reads all there are."""

    def __init__(self, layer: int) -> None:
        generator = torch.Generator().manual_seed(layer)
        shape = (2, VOCABULARY, ref.HEADS, ref.HEAD)
        self.table = torch.randn(shape, generator=generator).to(DTYPE)
        # As the runner holds it: flattened, with a block for padding behind the others.
        slots = (BLOCKS + 1) * ref.BLOCK
        self.kv_cache = tuple(
            torch.zeros(slots, ref.HEADS, ref.HEAD, dtype=DTYPE, device="hpu") for _ in range(2)
        )

    @property
    def registered(self) -> tuple[torch.Tensor, ...]:
        """[NB, BS, NH, HS] each, without the padding."""
        return tuple(
            plane.view(-1, ref.BLOCK, *plane.shape[1:])[:BLOCKS] for plane in self.kv_cache
        )

    def forward(self, batch: list[Sequence]) -> None:
        self.run(batch)

    def run(self, batch: list[Sequence]) -> None:
        """What the layer does, and all that a captured graph replays."""
        for sequence in batch:
            fresh = self.table[:, sequence.ids[sequence.computed :]].to("hpu")
            slots = sequence.slots.to("hpu")
            for plane, rows in zip(self.kv_cache, fresh, strict=True):
                plane.index_copy_(0, slots[sequence.computed :], rows)
            sequence.read.append(torch.stack([p.index_select(0, slots) for p in self.kv_cache]))


class Runner:
    """``eager``: a forward pass calls the layers; otherwise it replays what they have done."""

    def __init__(self, layers: int, *, eager: bool, asynchronous: bool = False) -> None:
        self.layers = {f"model.layers.{n}.attn": Attention(n) for n in range(layers)}
        self.eager, self.asynchronous = eager, asynchronous

    def register(self, connector: object) -> None:
        self.connector = connector
        connector.register_kv_caches({n: layer.registered for n, layer in self.layers.items()})

    def forget(self) -> None:
        """Write zeros over the KV of all blocks."""
        for layer in self.layers.values():
            for plane in layer.kv_cache:
                plane.zero_()

    def warm_up(self, batch: list[Sequence]) -> None:
        """A pass that is no step, and whose metadata is that of the last one, or none."""
        self.forward(batch)

    def execute(self, batch: list[Sequence], metadata: object) -> None:
        prompts = [sequence for sequence in batch if sequence.is_prompt]
        decodes = [sequence for sequence in batch if not sequence.is_prompt]
        self.connector.bind_connector_metadata(metadata)
        # Of prompts alone, a list; of a step without any there is none in some releases.
        attention = [SimpleNamespace(is_prompt=True) for _ in prompts] or None
        self.connector.start_load_kv(SimpleNamespace(attn_metadata=attention))
        for sequences in [*([prompt] for prompt in prompts), *([decodes] if decodes else [])]:
            self.forward(sequences)
        self.connector.wait_for_save()
        self.connector.get_finished(set())
        if not self.asynchronous:
            self.connector.clear_connector_metadata()

    def forward(self, batch: list[Sequence]) -> None:
        for layer in self.layers.values():
            if self.eager:
                layer.forward(batch)
            else:
                layer.run(batch)

    def check(self, sequence: Sequence) -> None:
        """Each layer has read the keys and values of all tokens, computed or loaded."""
        assert len(sequence.read) == len(self.layers), sequence.name
        for layer, read in zip(self.layers.values(), sequence.read, strict=True):
            assert ref.same_bits(read.cpu(), layer.table[:, sequence.ids]), sequence.name
