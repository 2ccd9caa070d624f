"""Blocks that were not loaded: what was computed from them must go.

The plugin's runner fills in two fields of what it returns for the connector, and the blocks are
not one of them.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from typing import Any

_RUNNER = "vllm_gaudi.v1.worker.hpu_model_runner"
_OUTPUT = "KVConnectorOutput"
_STEPS = "HPUModelRunner"
_OURS = "_lmcache_reports_load_errors"
_POLICY = "kv_load_failure_policy"
_WHY = (
    "with asynchronous scheduling vLLM keeps a token that was computed from blocks which LMCache "
    "could not load; turn off async_scheduling to have them recomputed"
)
_logger = logging.getLogger(__name__)


def fail_instead_of_recomputing(vllm_config: Any) -> None:
    """Have vLLM end a request whose KV was not loaded, where it cannot compute it again.

    With asynchronous scheduling it has asked for the next step when it hears of the failure. It
    drops the token of the step that failed, and keeps the one that was computed from that token.
    A scheduler reads the policy after it has made its connector. Raises RuntimeError, one sentence
    with the cure, for a vLLM that has no policy.
    """
    transfer = vllm_config.kv_transfer_config
    if not getattr(vllm_config.scheduler_config, "async_scheduling", False):
        return
    if not hasattr(transfer, _POLICY):
        raise RuntimeError(f"LMCache serves this vLLM without async_scheduling alone: {_WHY}")
    if getattr(transfer, _POLICY) == "recompute":
        _logger.warning("%s is fail from here on, since %s", _POLICY, _WHY)
        setattr(transfer, _POLICY, "fail")


def report_load_errors() -> None:
    """Have the plugin's runner tell the scheduler which blocks were not loaded, and go back.

    Nothing changes where this vLLM has no such field, or the second time.
    """
    runner = sys.modules.get(_RUNNER)
    output = getattr(runner, _OUTPUT, None)
    if output is None or hasattr(output, _OURS):
        return
    if "invalid_block_ids" not in {field.name for field in fields(output)}:
        return
    reporting = _with_load_errors(output)
    setattr(reporting, _OURS, True)
    setattr(runner, _OUTPUT, reporting)
    steps = getattr(runner, _STEPS)
    steps._update_states = _without_discarded_tokens(steps._update_states)


def _with_load_errors(output: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(output, updated=())
    def made(*args: Any, **kwargs: Any) -> Any:
        from vllm.distributed.kv_transfer import (  # noqa: PLC0415
            get_kv_transfer_group,
            has_kv_transfer_group,
        )

        filled = output(*args, **kwargs)
        if has_kv_transfer_group():
            failed = get_kv_transfer_group().get_block_ids_with_load_errors()
            filled.invalid_block_ids = filled.invalid_block_ids | failed
        return filled

    return made


def _without_discarded_tokens(update: Callable[..., Any]) -> Callable[..., Any]:
    """The scheduler drops what was sampled from blocks that were not loaded; so must the runner."""

    @wraps(update)
    def updated(self: Any, scheduler_output: Any) -> Any:
        cached = scheduler_output.scheduled_cached_reqs
        for request, kept in zip(cached.req_ids, cached.num_output_tokens, strict=True):
            tokens = self.requests[request].output_token_ids
            if kept < len(tokens):
                del tokens[kept:]
                _shorten(self.input_batch, request, kept)
        return update(self, scheduler_output)

    return updated


def _shorten(batch: Any, request: str, kept: int) -> None:
    index = batch.req_id_to_index.get(request)
    if index is not None:
        end = batch.num_prompt_tokens[index] + kept
        batch.num_tokens[index] = batch.num_tokens_no_spec[index] = end
