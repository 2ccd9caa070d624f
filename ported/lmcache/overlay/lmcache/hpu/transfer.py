"""Copies between the paged cache and memory objects, as a plan says: few graphs, one wait.

A memory object holds planes, which are the keys of every layer and then the values:
[planes, T, D], whatever upstream calls it (KV_2LTD, KV_2TD, KV_MLA_FMT), or, token by token,
[T, planes, D] (KV_T2D). Bits are copied, whatever the dtype.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import torch
from lmcache.hpu import steps
from lmcache.hpu.kv_views import LayerView, Plane
from lmcache.hpu.slots import Move, Plan
from torch import Tensor

Objects = Sequence[Sequence[Tensor]]
"""The memory objects of a transfer; of each, one tensor a group."""


@dataclass(frozen=True)
class Group:
    """Layers whose tokens lie side by side in memory objects.

    ``planes`` are in the order of the objects. Axis 0 of an object are its planes and axis 1 its
    tokens, or the other way round where it is ``token_major``.
    """

    planes: tuple[Plane, ...]
    token_major: bool = False
    _pools: dict[int, tuple[Tensor, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @classmethod
    def of(cls, layers: Sequence[LayerView], token_major: bool = False) -> Group:
        """Keys of all layers, then values. Raises ValueError where the layers differ in shape."""
        if not layers:
            raise ValueError("there is no layer to move")
        first = layers[0]
        for number, layer in enumerate(layers):
            if layer.shape != first.shape:
                raise ValueError(
                    f"layer {number} ({_described(layer)}) cannot be in one group with layer 0 "
                    f"({_described(first)})"
                )
        kinds = range(len(first.planes))
        return cls(tuple(layer.planes[kind] for kind in kinds for layer in layers), token_major)

    @property
    def device(self) -> torch.device:
        return self.planes[0].blocks.device

    @property
    def dtype(self) -> torch.dtype:
        return self.planes[0].blocks.dtype

    @property
    def width(self) -> int:
        return int(self.planes[0].blocks.shape[2])

    @property
    def plane_axis(self) -> int:
        return int(self.token_major)

    @property
    def token_axis(self) -> int:
        return 1 - self.plane_axis

    def seen(self, tensor: Tensor) -> Tensor:
        """An object's tensor with three axes and in bits that every op can move, on its memory.

        Raises ValueError where it has other planes, widths or sizes of elements than the caches.
        """
        if tensor.dtype.itemsize != self.dtype.itemsize:
            raise ValueError(f"a memory object of {tensor.dtype} is none of {self.dtype}")
        if tensor.dim() == 2:
            tensor = tensor.unsqueeze(self.plane_axis)
        elif tensor.dim() == 4:
            tensor = tensor.view(-1, *tensor.shape[2:])
        planes, width = tensor.shape[self.plane_axis], tensor.shape[2]
        if (planes, width) != (len(self.planes), self.width):
            raise ValueError(
                f"a memory object of {planes} planes, {width} wide, does not fit the cache's "
                f"{len(self.planes)}, {self.width} wide"
            )
        return tensor.view(_bits(self.dtype))

    def pools(self, unit: int) -> tuple[Tensor, ...]:
        """Each plane's pool in pieces of ``unit`` tokens, [n, unit, D], in such bits."""
        if unit not in self._pools:
            bits = _bits(self.dtype)
            self._pools[unit] = tuple(plane.units(unit).view(bits) for plane in self.planes)
        return self._pools[unit]

    def buffer(self, rows: int, device: torch.device | str = "cpu") -> Tensor:
        """Memory for so many tokens."""
        planes = len(self.planes)
        shape = (rows, planes) if self.token_major else (planes, rows)
        return torch.empty(*shape, self.width, dtype=_bits(self.dtype), device=device)

    def cut(self, tokens: Tensor, unit: int) -> tuple[Tensor, ...]:
        """Tokens as an object has them, as one view a plane, [n, unit, D]."""
        axis = self.token_axis
        pieces = tokens.view(*tokens.shape[:axis], -1, unit, *tokens.shape[axis + 1 :])
        planes: tuple[Tensor, ...] = pieces.unbind(2 if self.token_major else 0)
        return planes

    def joined(self, planes: Sequence[Tensor]) -> Tensor:
        """The inverse: [n, unit, D] of each plane, as an object has them."""
        if self.token_major:
            return torch.stack(planes, dim=2).flatten(0, 1)
        return torch.stack(planes).flatten(1, 2)


class Flight:
    """A transfer on its way: what it needs until the host has waited, and what it does then."""

    def __init__(self) -> None:
        self._kept: list[object] = []
        self._landings: list[Callable[[], object]] = []

    def keep(self, value: Tensor) -> Tensor:
        """Memory that a copy may still read."""
        self._kept.append(value)
        return value

    def on_landing(self, do: Callable[[], object]) -> None:
        self._landings.append(do)

    def land(self, wait: Callable[[], object] = steps.wait) -> None:
        """``wait`` must see every copy to the host done."""
        wait()
        for do in self._landings:
            do()
        self._kept.clear()
        self._landings.clear()


class SentIds:
    """The ids of a plan on the device: each move's are sent once, whatever reads them."""

    def __init__(self, block_size: int, device: torch.device) -> None:
        self._block_size, self._device = block_size, device
        self._sent: dict[tuple[int, int, int], Tensor] = {}
        self._moves: list[Move] = []  # what is known by its id must live

    def of(self, move: Move, plane: Plane) -> Tensor:
        key = (id(move), plane.every, plane.at)
        if key not in self._sent:
            ids = move.pool_ids(self._block_size, plane.every, plane.at)
            self._sent[key] = ids.to(self._device)
            self._moves.append(move)
        return self._sent[key]


def load(
    plan: Plan, groups: Sequence[Group], objects: Objects, sent: SentIds | None = None
) -> Flight:
    """Write memory objects into the paged cache; one graph a move, and no wait."""
    flight = Flight()
    sent = sent or SentIds(plan.block_size, groups[0].device)
    for move in plan.moves:
        for number, group in enumerate(groups):
            tensors = {o: group.seen(objects[o][number]) for o in _objects_of(move)}
            read = [tensors[o] for o in move.objects] or [_gathered(move, group, tensors)]
            # Unnamed, so that it is given back before the next move needs as much.
            _scatter(move, group, _send(read, group, flight), sent)
        steps.launch()
    return flight


def store(
    plan: Plan, groups: Sequence[Group], objects: Objects, sent: SentIds | None = None
) -> Flight:
    """Read memory objects out of the paged cache; one graph a move, and no wait.

    What goes to host memory is there when the flight has landed.
    """
    flight = Flight()
    sent = sent or SentIds(plan.block_size, groups[0].device)
    for move in plan.moves:
        _store(move, groups, objects, sent, flight)
    return flight


def _store(
    move: Move, groups: Sequence[Group], objects: Objects, sent: SentIds, flight: Flight
) -> None:
    read = [_gather(move, group, sent) for group in groups]
    steps.launch()
    for number, (group, payloads) in enumerate(zip(groups, read, strict=True)):
        tensors = {o: group.seen(objects[o][number]) for o in _objects_of(move)}
        if move.objects:
            for o, payload in zip(move.objects, payloads, strict=True):
                _receive(payload, tensors[o], flight)
        else:
            _receive_shares(payloads[0], move, group, tensors, flight)


def _objects_of(move: Move) -> Iterable[int]:
    return move.objects or (share.object for share in move.shares)


def _scatter(move: Move, group: Group, payload: Tensor, sent: SentIds) -> None:
    pieces = zip(group.planes, group.pools(move.unit), group.cut(payload, move.unit), strict=True)
    for plane, pool, tokens in pieces:
        pool.index_copy_(0, sent.of(move, plane), tokens)


def _gather(move: Move, group: Group, sent: SentIds) -> list[Tensor]:
    """One tensor for each object of the move, or one for its buffer."""
    count = max(len(move.objects), 1)
    read = [
        pool.index_select(0, sent.of(move, plane))
        for plane, pool in zip(group.planes, group.pools(move.unit), strict=True)
    ]
    if count == 1:
        return [group.joined(read)]
    # A tensor of its own for each, for a copy out of the middle of one is a graph of its own.
    each = (tokens.chunk(count) for tokens in read)
    return [group.joined(planes) for planes in zip(*each, strict=True)]


def _send(tensors: list[Tensor], group: Group, flight: Flight) -> Tensor:
    """The tensors, one behind the other, on the device; each is sent into its place there."""
    if len(tensors) == 1:
        return flight.keep(tensors[0]).to(group.device, non_blocking=True)
    axis, rows = group.token_axis, tensors[0].shape[group.token_axis]
    payload = group.buffer(rows * len(tensors), group.device)
    for number, tensor in enumerate(tensors):
        place = payload.narrow(axis, number * rows, rows)
        place.copy_(flight.keep(tensor), non_blocking=True)
    return payload


def _receive(payload: Tensor, tensor: Tensor, flight: Flight) -> None:
    # The device's memory is given back in the order of its stream, hence not before it was read.
    if tensor.is_contiguous():
        tensor.copy_(payload, non_blocking=True)
    else:
        whole = torch.empty_like(tensor, memory_format=torch.contiguous_format)
        whole.copy_(payload, non_blocking=True)
        flight.on_landing(lambda: tensor.copy_(whole))


def _gathered(move: Move, group: Group, tensors: dict[int, Tensor]) -> Tensor:
    """The buffer of a move; its padding is its last token again, which has the same id."""
    buffer, axis = group.buffer(move.rows), group.token_axis
    for share in move.shares:
        tensor = tensors[share.object]
        tokens = tensor.index_select(axis, share.tokens.to(tensor.device))
        buffer.narrow(axis, share.first, len(share.tokens)).copy_(tokens)
    padding = buffer.narrow(axis, move.live, move.rows - move.live)
    padding.copy_(buffer.narrow(axis, move.live - 1, 1).expand_as(padding))
    return buffer


def _receive_shares(
    payload: Tensor, move: Move, group: Group, tensors: dict[int, Tensor], flight: Flight
) -> None:
    buffer, axis = group.buffer(move.rows), group.token_axis
    buffer.copy_(payload, non_blocking=True)

    def hand_out() -> None:
        for share in move.shares:
            tensor = tensors[share.object]
            tokens = buffer.narrow(axis, share.first, len(share.tokens)).to(tensor.device)
            tensor.index_copy_(axis, share.tokens.to(tensor.device), tokens)

    flight.on_landing(hand_out)


def _bits(dtype: torch.dtype) -> torch.dtype:
    """A dtype of the same size that can be indexed: not every fp8 can."""
    return torch.uint8 if dtype.itemsize == 1 else dtype


def _described(layer: LayerView) -> str:
    kind = "MLA" if layer.is_mla else "keys and values"
    return (
        f"{kind}, {layer.num_blocks} blocks of {layer.block_size}, width {layer.width}, "
        f"{layer.dtype}"
    )
