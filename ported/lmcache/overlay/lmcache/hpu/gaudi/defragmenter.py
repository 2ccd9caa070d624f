"""The defragmenter of the plugin's runner gives blocks other places than the scheduler knows."""

from __future__ import annotations

import sys

_RUNTIME = "vllm_gaudi.extension.runtime"


def refuse_defragmenter() -> None:
    """Raises RuntimeError, one sentence with the cure, where blocks are moved about.

    LMCache is told the scheduler's places.
    """
    runtime = sys.modules.get(_RUNTIME)
    if runtime is not None and runtime.get_config().defrag:
        raise RuntimeError(
            "LMCache would read and write the wrong blocks, since vLLM's defragmenter moves them; "
            "set VLLM_DEFRAG=false"
        )
