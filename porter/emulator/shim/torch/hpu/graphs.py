"""HPU graphs, lazy mode only. A wrapped module runs op by op: the results are the same.

Capture and replay (``HPUGraph``) are not here: ops run at once, there is nothing to replay.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

__all__ = ["is_current_stream_capturing", "wrap_in_hpu_graph", "wrap_in_hpu_graph_func"]


def is_current_stream_capturing() -> bool:
    return False


def wrap_in_hpu_graph(
    module: Any,
    asynchronous: bool = False,
    disable_tensor_cache: bool = False,
    dry_run: bool = False,
    max_graphs: int | None = None,
) -> Any:
    """``module``, whose forward now takes ``bypass_hpu_graphs`` too."""
    module.forward = wrap_in_hpu_graph_func(module.forward)
    return module


def wrap_in_hpu_graph_func(
    func: Callable[..., Any],
    asynchronous: bool = False,
    disable_tensor_cache: bool = False,
    dry_run: bool = False,
    max_graphs: int | None = None,
) -> Callable[..., Any]:
    @wraps(func)
    def forward(*args: Any, bypass_hpu_graphs: bool = False, **kwargs: Any) -> Any:
        return func(*args, **kwargs)

    return forward
