"""LMCache's side of the connector for vLLM, on Gaudi."""

from __future__ import annotations

from collections.abc import Generator
from copy import copy
from typing import TYPE_CHECKING, Any, NoReturn

import torch
from lmcache.hpu.gaudi.defragmenter import refuse_defragmenter
from lmcache.hpu.gaudi.host import keep_on_host
from lmcache.hpu.gaudi.layers import LayerStep, call_around
from lmcache.hpu.gaudi.load_errors import fail_instead_of_recomputing, report_load_errors
from lmcache.hpu.presence import require_device
from lmcache.integration.vllm.vllm_v1_adapter import LMCacheConnectorV1Impl
from vllm.distributed.kv_transfer.kv_connector.v1.base import KVConnectorRole

if TYPE_CHECKING:
    from vllm.config import VllmConfig
    from vllm.distributed.kv_transfer.kv_connector.v1.base import (
        KVConnectorBase_V1,
        KVConnectorMetadata,
    )
    from vllm.forward_context import ForwardContext


class LMCacheConnectorV1ImplHPU(LMCacheConnectorV1Impl):
    """Upstream's implementation, where vLLM's Gaudi plugin asks for something else.

    The metadata of a step stays of upstream's class, which the plugin looks for. With
    ``use_layerwise`` each layer is loaded before it runs, and saved after. Where a replayed
    graph runs without Python, all are loaded before the forward pass, and saved after it.
    """

    _step: LayerStep | None = None
    _calls_around_layers = False

    def __init__(
        self, vllm_config: VllmConfig, role: KVConnectorRole, parent: KVConnectorBase_V1
    ) -> None:
        """Raises RuntimeError, one sentence, where a worker cannot serve with this setup."""
        fail_instead_of_recomputing(vllm_config)
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
        if self.use_layerwise and self._vllm_config.model_config.enforce_eager:
            layers = self._vllm_config.compilation_config.static_forward_context
            call_around({name: layers[name] for name in kv_caches}, self)
            self._calls_around_layers = True

    def bind_connector_metadata(self, connector_metadata: KVConnectorMetadata) -> None:
        """Begin a step; what an earlier one has left behind is no part of it."""
        keep_on_host(connector_metadata.requests)
        self._step = None
        self.current_layer = 0
        self.layerwise_retrievers = []
        self.layerwise_storers: list[Any] = []

    def start_load_kv(self, forward_context: ForwardContext, **kwargs: Any) -> None:
        """Load what the metadata of this step asks for, whatever the attention's own says.

        Upstream loads nothing without attention metadata, and does not read it. The plugin
        has none for a step without prefill, nor until 0.11.2 for any.
        """
        batches = forward_context.attn_metadata
        if batches is None:
            forward_context = copy(forward_context)
            forward_context.attn_metadata = {}
        super().start_load_kv(forward_context, **kwargs)
        if self.use_layerwise:
            prompts = len(batches) if isinstance(batches, list) else 0
            self._step = self._begin_layers(prompts)

    def wait_for_layer_load(self, layer_name: str) -> None:
        """Before a layer runs. Outside a step, as when vLLM warms up, there is nothing to do."""
        if self._step is not None:
            self._step.enter(layer_name)

    def save_kv_layer(
        self, layer_name: str, kv_layer: torch.Tensor, attn_metadata: Any, **kwargs: Any
    ) -> None:
        """After a layer has run."""
        if self._step is not None:
            self._step.leave(layer_name)

    def wait_for_save(self) -> None:
        """End a step. Raises RuntimeError where it has run on KV that was not loaded."""
        step, self._step = self._step, None
        if step is not None:
            if not step.is_loaded:
                raise RuntimeError(
                    "vLLM has run the model without calling its layers, so LMCache's KV was not "
                    "loaded; set use_layerwise to False"
                )
            step.save_rest()
        super().wait_for_save()

    def _begin_layers(self, prompts: int) -> LayerStep:
        """``prompts`` passes of the step are for prompts; those that decode come after them."""
        requests = [
            request
            for request in self._parent._get_connector_metadata().requests
            if request.load_spec is not None and request.load_spec.can_load
        ]
        # Where it blends, or LMCache could not start, upstream has loaded all, or nothing.
        loads = list(zip(requests, self.layerwise_retrievers, strict=False))
        save = super().save_kv_layer
        layers = list(self.kv_caches)
        step = LayerStep(
            layers,
            load=lambda layer: self._load_layer(loads, last=layer == layers[-1]),
            save=lambda layer: save(layer, self.kv_caches[layer], None),
            loads=bool(loads),
            saved_in=0 if self._saves_while_decoding else prompts,
        )
        if not self._calls_around_layers:
            step.load_rest()
        return step

    @property
    def _saves_while_decoding(self) -> bool:
        return self.kv_role == "kv_producer" or self.config.save_decode_cache

    def _load_layer(
        self, loads: list[tuple[Any, Generator[torch.Tensor | None]]], *, last: bool
    ) -> None:
        for request, retriever in loads:
            loaded = next(retriever)
            if last and loaded is not None:
                self._note_missing(request, loaded)

    def _note_missing(self, request: Any, loaded: torch.Tensor) -> None:
        """Upstream does so for whole loads alone. ``loaded`` is a mask of tokens."""
        wanted = torch.ones(len(loaded), dtype=torch.bool)
        wanted[: request.load_spec.vllm_cached_tokens] = False
        slots = request.slot_mapping[: len(loaded)]
        self._invalid_block_ids |= self.record_failed_blocks(request.req_id, wanted, loaded, slots)

    def _init_kv_caches_from_forward_context(self, forward_context: ForwardContext) -> NoReturn:
        """What a layer holds on Gaudi is the flattened cache with a block for padding in it."""
        raise RuntimeError(
            "LMCache has no KV cache to work with, since vLLM's runner has not registered any; "
            "use a Gaudi plugin that calls register_kv_caches"
        )
