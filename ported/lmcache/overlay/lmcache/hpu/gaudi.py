"""Where vLLM's Gaudi plugin and LMCache would do each other harm.

The plugin's modules are looked up among those that are loaded: the worker that makes a
connector runs in them, and elsewhere there is nothing to do.
"""

from __future__ import annotations

import sys
from dataclasses import fields
from functools import wraps
from typing import Any

_RUNTIME = "vllm_gaudi.extension.runtime"
_RUNNER = "vllm_gaudi.v1.worker.hpu_model_runner"
_OUTPUT = "KVConnectorOutput"
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
    """Have the plugin's runner tell the scheduler which blocks were not loaded.

    It fills in two fields of what it returns for the connector, and that is not one of them:
    tokens would be computed from blocks that hold something else. Nothing changes where this
    vLLM has no such field, or the second time.
    """
    runner = sys.modules.get(_RUNNER)
    output = getattr(runner, _OUTPUT, None)
    if output is None or hasattr(output, _OURS):
        return
    if "invalid_block_ids" not in {field.name for field in fields(output)}:
        return

    @wraps(output, updated=())
    def with_load_errors(*args: Any, **kwargs: Any) -> Any:
        from vllm.distributed.kv_transfer import (  # noqa: PLC0415
            get_kv_transfer_group,
            has_kv_transfer_group,
        )

        made = output(*args, **kwargs)
        if has_kv_transfer_group():
            failed = get_kv_transfer_group().get_block_ids_with_load_errors()
            made.invalid_block_ids = made.invalid_block_ids | failed
        return made

    setattr(with_load_errors, _OURS, True)
    setattr(runner, _OUTPUT, with_load_errors)
