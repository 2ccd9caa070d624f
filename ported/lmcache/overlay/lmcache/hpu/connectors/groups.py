"""Layers whose caches have one shape: what a memory object holds side by side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from lmcache.hpu.kv_views import LayerView


@dataclass(frozen=True)
class BlockShape:
    """``kv_size`` planes of ``nl`` layers, each ``nb`` blocks of ``bs`` tokens."""

    kv_size: int
    nl: int
    nb: int
    bs: int


@dataclass(frozen=True)
class LayerGroup:
    """What upstream's metadata asks of a group, by the names it asks for."""

    layer_indices: list[int]
    shape_desc: BlockShape
    hidden_dim_size: int
    dtype: torch.dtype

    @property
    def num_layers(self) -> int:
        return len(self.layer_indices)


@dataclass(frozen=True)
class LayerGroups:
    """What upstream's metadata asks of its manager of layer groups."""

    kernel_groups: list[LayerGroup]

    @property
    def num_kernel_groups(self) -> int:
        return len(self.kernel_groups)

    # The same by their names until 0.4.7.

    @property
    def kv_layer_groups(self) -> list[LayerGroup]:
        return self.kernel_groups

    @property
    def num_groups(self) -> int:
        return self.num_kernel_groups


def grouped(views: Sequence[LayerView]) -> LayerGroups:
    """Groups in the order of their first layers. Raises ValueError for unlike block sizes."""
    sizes = sorted({view.block_size for view in views})
    if len(sizes) > 1:
        raise ValueError(
            f"layers have blocks of {' and of '.join(map(str, sizes))} tokens; one slot mapping "
            "cannot mean both"
        )
    members: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for layer, view in enumerate(views):
        members[view.shape].append(layer)
    return LayerGroups([_group(views, layers) for layers in members.values()])


def _group(views: Sequence[LayerView], layers: list[int]) -> LayerGroup:
    first = views[layers[0]]
    shape = BlockShape(len(first.planes), len(layers), first.num_blocks, first.block_size)
    return LayerGroup(layers, shape, first.width, first.dtype)
