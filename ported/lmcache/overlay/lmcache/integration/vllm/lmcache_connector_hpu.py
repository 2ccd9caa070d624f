"""The connector that vLLM makes where ``kv_connector`` is ``LMCacheConnectorV1HPU`` or ``lmcache``.

The methods are written out, with the parameters that vLLM names, so that a release of vLLM that
asks for others is noticed. Those that some releases of vLLM do not have are never called there.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import TYPE_CHECKING, Any

from lmcache.hpu.plugins.announcer import announcer, name_socket
from lmcache.hpu.presence import require_bridge
from vllm.distributed.kv_transfer.kv_connector.v1.base import (
    KVConnectorBase_V1,
    KVConnectorRole,
)

if TYPE_CHECKING:
    import torch
    from vllm.config import VllmConfig
    from vllm.distributed.kv_transfer.kv_connector.v1.base import KVConnectorMetadata
    from vllm.forward_context import ForwardContext
    from vllm.v1.core.kv_cache_manager import KVCacheBlocks
    from vllm.v1.core.sched.output import SchedulerOutput
    from vllm.v1.kv_cache_interface import KVCacheConfig
    from vllm.v1.request import Request

_BASE_TAKES_CACHE_CONFIG = "kv_cache_config" in signature(KVConnectorBase_V1.__init__).parameters


class LMCacheConnectorV1HPU(KVConnectorBase_V1):
    """Hands what vLLM asks for to LMCache, on Gaudi."""

    def __init__(
        self,
        vllm_config: VllmConfig,
        role: KVConnectorRole,
        kv_cache_config: KVCacheConfig | None = None,
    ) -> None:
        """``kv_cache_config`` is what vLLM gives from 0.11.2 on.

        Raises RuntimeError, one sentence with the cure, on a machine without Gaudi's bridge.
        """
        require_bridge()
        from lmcache.integration.vllm.vllm_v1_adapter_hpu import (  # noqa: PLC0415
            LMCacheConnectorV1ImplHPU,
        )

        more = {"kv_cache_config": kv_cache_config} if _BASE_TAKES_CACHE_CONFIG else {}
        super().__init__(vllm_config=vllm_config, role=role, **more)
        name_socket(vllm_config)
        self._lmcache_engine = LMCacheConnectorV1ImplHPU(vllm_config, role, self)
        schedules = role == KVConnectorRole.SCHEDULER
        self._plugins = announcer(self._lmcache_engine.config) if schedules else None

    # In the worker.

    def register_kv_caches(self, kv_caches: dict[str, torch.Tensor]) -> None:
        self._lmcache_engine.register_kv_caches(kv_caches)

    def bind_connector_metadata(self, connector_metadata: KVConnectorMetadata) -> None:
        super().bind_connector_metadata(connector_metadata)
        self._lmcache_engine.bind_connector_metadata(connector_metadata)

    def start_load_kv(self, forward_context: ForwardContext, **kwargs: Any) -> None:
        self._lmcache_engine.start_load_kv(forward_context, **kwargs)

    def wait_for_layer_load(self, layer_name: str) -> None:
        self._lmcache_engine.wait_for_layer_load(layer_name)

    def save_kv_layer(
        self, layer_name: str, kv_layer: torch.Tensor, attn_metadata: Any, **kwargs: Any
    ) -> None:
        self._lmcache_engine.save_kv_layer(layer_name, kv_layer, attn_metadata, **kwargs)

    def wait_for_save(self) -> None:
        self._lmcache_engine.wait_for_save()

    def get_finished(self, finished_req_ids: set[str]) -> tuple[set[str] | None, set[str] | None]:
        return self._either("get_finished", super().get_finished)(finished_req_ids)

    def get_block_ids_with_load_errors(self) -> set[int]:
        inherited = super().get_block_ids_with_load_errors
        return self._either("get_block_ids_with_load_errors", inherited)()

    def shutdown(self) -> None:
        if self._plugins is not None:
            self._plugins.close()
        self._either("shutdown", super().shutdown)()

    # In the scheduler.

    def get_num_new_matched_tokens(
        self, request: Request, num_computed_tokens: int
    ) -> tuple[int | None, bool]:
        """Tokens beyond ``num_computed_tokens`` that are there; None: not known yet.

        False, since they are loaded within the step, not between two of them.
        """
        matched = self._lmcache_engine.get_num_new_matched_tokens(request, num_computed_tokens)
        if self._plugins is not None:
            self._plugins.looked_up(request, num_computed_tokens)
        return matched, False

    def update_state_after_alloc(
        self, request: Request, blocks: KVCacheBlocks, num_external_tokens: int
    ) -> None:
        self._lmcache_engine.update_state_after_alloc(request, num_external_tokens)
        if self._plugins is not None:
            self._plugins.scheduled(request, num_external_tokens)

    def build_connector_meta(self, scheduler_output: SchedulerOutput) -> KVConnectorMetadata:
        return self._lmcache_engine.build_connector_meta(scheduler_output)

    def request_finished(
        self, request: Request, block_ids: list[int]
    ) -> tuple[bool, dict[str, Any] | None]:
        answer = self._either("request_finished", super().request_finished)(request, block_ids)
        if self._plugins is not None:
            self._plugins.finished(request)
        return answer

    def _either(self, name: str, inherited: Callable[..., Any]) -> Callable[..., Any]:
        """LMCache's method, or vLLM's where this release of LMCache has none."""
        return getattr(self._lmcache_engine, name, inherited)
