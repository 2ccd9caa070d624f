"""How the paged KV cache of an engine lies in memory.

Names of dimensions: NL layers, NB blocks, BS tokens in a block, NH heads, HS
elements of a head, TWO key and value, NBBS = NB * BS. ``_X_`` ends what is a
list of tensors, so ``NL_X_TWO_NB_BS_NH_HS`` is NL tensors [2, NB, BS, NH, HS].
The numbers are those of upstream's native modules.
"""

from __future__ import annotations

from enum import IntEnum

from lmcache.hpu.pending import Pending, pending


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


class PageBufferShapeDesc(metaclass=Pending):
    """The dimensions of one paged buffer: kv_size, nl, nb, bs, nh, hs and the element size."""


class KernelGroupSpec(metaclass=Pending):
    """Layers of one shape that are moved together, block by block."""


@pending
def is_mla(layout: EngineKVFormat) -> None:
    """Whether one latent vector a token stands for key and value."""


@pending
def is_kv_list(layout: EngineKVFormat) -> None:
    """Whether keys and values are two lists."""


@pending
def is_layer_list(layout: EngineKVFormat) -> None:
    """Whether there is one list entry a layer."""


@pending
def is_cross_layer(layout: EngineKVFormat) -> None:
    """Whether one tensor holds all layers."""


@pending
def is_kv_second_tuple(layout: EngineKVFormat) -> None:
    """Whether every layer is a pair (key, value), as on Gaudi."""
