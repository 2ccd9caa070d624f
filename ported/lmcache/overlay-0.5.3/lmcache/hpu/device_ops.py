"""Our operations where upstream's platform layer asks for those of the device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from lmcache.hpu import ops
from lmcache.hpu.pending import is_pending
from lmcache.v1.platform.base.device_ops import DeviceOps
from torch import Tensor

_BLOCKS = "multi_layer_block_kv_transfer"
_LAYOUTS = (
    "NL_X_TWO_NB_BS_NH_HS",
    "NL_X_NB_TWO_BS_NH_HS",
    "NL_X_NB_BS_HS",
    "NL_X_TWO_X_NB_BS_NH_HS",
)
"""What ``kv_views`` makes views of. No engine on Gaudi has another one."""


class HpuDeviceOps(DeviceOps):  # type: ignore[misc]
    """Upstream's plain torch, but for what ``lmcache.hpu.ops`` implements.

    It has no operation that waits to be written, since upstream looks whether there is one.
    """

    device_type: ClassVar[str] = "hpu"

    def ensure_native(self) -> None:
        """Bind the operations, and the types that they take."""
        for name in vars(ops)["__all__"]:
            operation = getattr(ops, name)
            if name != _BLOCKS and not is_pending(operation):
                setattr(self, name, operation)

    def multi_layer_block_kv_transfer(
        self,
        paged_buffer_ptrs_tensor: Any,
        lmcache_objects_ptrs: Sequence[Tensor],
        block_ids: Tensor | Sequence[int],
        device: Any,
        direction: Any,
        shape_desc: Any,
        lmcache_chunk_size: int,
        engine_kv_format: Any,
        skip_prefix_n_blocks: int,
    ) -> None:
        """Ours for Gaudi's layouts, and upstream's for those of other devices.

        Upstream passes tensors where the annotation speaks of them.
        """
        ours = engine_kv_format.name in _LAYOUTS
        move = getattr(ops if ours else super(), _BLOCKS)
        move(
            paged_buffer_ptrs_tensor,
            lmcache_objects_ptrs,
            block_ids,
            device,
            direction,
            shape_desc,
            lmcache_chunk_size,
            engine_kv_format,
            skip_prefix_n_blocks,
        )
