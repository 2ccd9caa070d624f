"""LMCache's side of the connector for vLLM, on Gaudi."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, NoReturn

from lmcache.hpu.gaudi import refuse_defragmenter, report_load_errors
from lmcache.hpu.presence import require_device
from lmcache.integration.vllm.vllm_v1_adapter import LMCacheConnectorV1Impl
from vllm.distributed.kv_transfer.kv_connector.v1.base import KVConnectorRole

if TYPE_CHECKING:
    import torch
    from vllm.config import VllmConfig
    from vllm.distributed.kv_transfer.kv_connector.v1.base import (
        KVConnectorBase_V1,
        KVConnectorMetadata,
    )
    from vllm.forward_context import ForwardContext


class LMCacheConnectorV1ImplHPU(LMCacheConnectorV1Impl):
    """Upstream's implementation, where vLLM's Gaudi plugin asks for something else.

    The metadata of a step stays of upstream's class, which the plugin looks for.
    """

    def __init__(
        self, vllm_config: VllmConfig, role: KVConnectorRole, parent: KVConnectorBase_V1
    ) -> None:
        """Raises RuntimeError, one sentence, where a worker cannot serve with this setup."""
        if role == KVConnectorRole.WORKER:
            require_device()
            refuse_defragmenter()
            report_load_errors()
        super().__init__(vllm_config, role, parent)

    def register_kv_caches(self, kv_caches: dict[str, torch.Tensor]) -> None:
        """The paged caches by layer. Until 0.3.12 upstream took them from the layers."""
        register = getattr(super(), "register_kv_caches", None)
        if register is not None:
            register(kv_caches)
        elif kv_caches:
            self.kv_caches = kv_caches

    def bind_connector_metadata(self, connector_metadata: KVConnectorMetadata) -> None:
        """Begin a step, which for a layerwise transfer is that of the first layer.

        ``start_load_kv`` does so too, but vLLM 0.32 may call it after the forward pass.
        """
        self.current_layer = 0
        self.layerwise_retrievers = []
        self.layerwise_storers: list[Any] = []

    def start_load_kv(self, forward_context: ForwardContext, **kwargs: Any) -> None:
        """Load what the metadata of this step asks for, whatever the attention's own says.

        Upstream loads nothing without attention metadata, and does not read it. The plugin
        has none for a step without prefill, nor until 0.11.2 for any.
        """
        if forward_context.attn_metadata is None:
            forward_context = copy(forward_context)
            forward_context.attn_metadata = {}
        super().start_load_kv(forward_context, **kwargs)

    def _init_kv_caches_from_forward_context(self, forward_context: ForwardContext) -> NoReturn:
        """What a layer holds on Gaudi is the flattened cache with a block for padding in it."""
        raise RuntimeError(
            "LMCache has no KV cache to work with, since vLLM's runner has not registered any; "
            "use a Gaudi plugin that calls register_kv_caches"
        )
