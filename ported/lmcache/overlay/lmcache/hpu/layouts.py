"""How the paged KV cache of an engine lies in memory.

Names of dimensions: NL layers, NB blocks, BS tokens in a block, NH heads, HS
elements of a head, TWO key and value, NBBS = NB * BS. ``_X_`` ends what is a
list of tensors, so ``NL_X_TWO_NB_BS_NH_HS`` is NL tensors [2, NB, BS, NH, HS].
The numbers are those of upstream's native modules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum


class TransferDirection(IntEnum):
    """From LMCache's memory objects to the paged cache (H2D), or back (D2H)."""

    H2D = 0
    D2H = 1


class EngineKVFormat(IntEnum):
    """The layouts that engines use. Gaudi's, a pair (key, value) a layer, is number 16."""

    NB_NL_TWO_BS_NH_HS = 0
    NL_X_TWO_NB_BS_NH_HS = 1
    NL_X_NB_TWO_BS_NH_HS = 2
    NL_X_NB_BS_HS = 3
    TWO_X_NL_X_NBBS_NH_HS = 4
    NL_X_NBBS_ONE_HS = 5
    NL_X_TWO_NB_NH_BS_HS = 6
    NL_X_NB_TWO_NH_BS_HS = 7
    NB_NL_TWO_NH_BS_HS = 8
    TWO_X_NL_X_NB_BS_NH_HS = 9
    NL_X_NB_NH_BS_TWO_HS = 10
    NL_X_NB_BS_NH_TWO_HS = 11
    NL_X_NB_NH_BS_CS = 12
    NL_X_NB_BS_NH_CS = 13
    NL_X_NB_BSV_BSS = 14
    NL_X_TWO_NB_NH_ONE_BS_HS = 15
    NL_X_TWO_X_NB_BS_NH_HS = 16
    NL_X_NP_X_NB_BS_ONE_HS = 17
    NL_X_NB_BS_NH_HS = 18


GPUKVFormat = EngineKVFormat
"""The name until 0.4.7."""


_MLA = frozenset(
    {
        EngineKVFormat.NL_X_NB_BS_HS,
        EngineKVFormat.NL_X_NBBS_ONE_HS,
        EngineKVFormat.NL_X_NB_BSV_BSS,
        EngineKVFormat.NL_X_NP_X_NB_BS_ONE_HS,
    }
)
_CROSS_LAYER = frozenset({EngineKVFormat.NB_NL_TWO_BS_NH_HS, EngineKVFormat.NB_NL_TWO_NH_BS_HS})
_KV_LIST = frozenset({EngineKVFormat.TWO_X_NL_X_NBBS_NH_HS, EngineKVFormat.TWO_X_NL_X_NB_BS_NH_HS})
_KV_SECOND_TUPLE = frozenset(
    {EngineKVFormat.NL_X_TWO_X_NB_BS_NH_HS, EngineKVFormat.NL_X_NP_X_NB_BS_ONE_HS}
)


def is_mla(format: EngineKVFormat) -> bool:
    """Whether one latent vector a token stands for key and value."""
    return format in _MLA


def is_cross_layer(format: EngineKVFormat) -> bool:
    """Whether one tensor holds all layers."""
    return format in _CROSS_LAYER


def is_kv_list(format: EngineKVFormat) -> bool:
    """Whether keys and values are two lists."""
    return format in _KV_LIST


def is_layer_list(format: EngineKVFormat) -> bool:
    """Whether there is one list entry a layer."""
    return not (is_cross_layer(format) or is_kv_list(format))


def is_kv_second_tuple(format: EngineKVFormat) -> bool:
    """Whether the entry of a layer is several tensors, as on Gaudi."""
    return format in _KV_SECOND_TUPLE


@dataclass(eq=False)
class PageBufferShapeDesc:
    """The dimensions of one paged buffer; ``element_size`` in bytes, ``kv_size`` 1 or 2.

    ``block_stride_elems`` is how far apart blocks lie, in elements, or 0 if side by side.
    Upstream hangs the ``dtype`` on it where it knows one.
    """

    kv_size: int = 0
    nl: int = 0
    nb: int = 0
    bs: int = 0
    nh: int = 0
    hs: int = 0
    element_size: int = 0
    block_stride_elems: int = 0


@dataclass(eq=False)
class KernelGroupSpec:
    """Layers of one shape that are moved together, block by block; addresses are integers."""

    paged_buffer_ptrs: int
    lmcache_objects_ptrs: Sequence[int]
    shape_desc: PageBufferShapeDesc
    lmcache_chunk_size: int
    engine_kv_format: EngineKVFormat
    block_ids_base: int
    block_ids_capacity: int

    def __post_init__(self) -> None:
        self.engine_kv_format = EngineKVFormat(self.engine_kv_format)
