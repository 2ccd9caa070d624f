"""Where vLLM's Gaudi plugin and LMCache would do each other harm.

The plugin's modules are looked up among those that are loaded: the worker that makes a
connector runs in them, and elsewhere there is nothing to do.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from typing import Any

_RUNTIME = "vllm_gaudi.extension.runtime"
_RUNNER = "vllm_gaudi.v1.worker.hpu_model_runner"
_OUTPUT = "KVConnectorOutput"
_STEPS = "HPUModelRunner"
_OURS = "_lmcache_reports_load_errors"


def refuse_defragmenter() -> None:
    """Raises RuntimeError, one sentence with the cure, where blocks are moved about.

    The defragmenter of the plugin's runner gives blocks other places than the scheduler knows,
    and LMCache is told the scheduler's.
    """
    runtime = sys.modules.get(_RUNTIME)
    if runtime is not None and runtime.get_config().defrag:
        raise RuntimeError(
            "LMCache would read and write the wrong blocks, since vLLM's defragmenter moves them; "
            "set VLLM_DEFRAG=false"
        )


def report_load_errors() -> None:
    """Have the plugin's runner tell the scheduler which blocks were not loaded, and go back.

    It fills in two fields of what it returns for the connector, and that is not one of them:
    tokens would be computed from blocks that hold something else. Nothing changes where this
    vLLM has no such field, or the second time. With asynchronous scheduling vLLM has asked for
    the next step when it hears of the failure, and that step's token stays.
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
