"""HPU graphs, lazy mode only.

A capture runs its ops, and a replay runs the same ops on the same memory, one by one: nothing is
compiled. A wrapped module, a callable or a model runs op by op: the results are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import torch

from porter.emulator.build import load

from .streams import Stream, StreamContext

__all__ = [
    "HPUGraph",
    "graph",
    "is_current_stream_capturing",
    "make_graphed_callables",
    "wrap_in_hpu_graph",
    "wrap_in_hpu_graph_func",
]

_device = load()


class HPUGraph:
    """Work to be replayed. RuntimeError for a replay before a capture, or of one under way."""

    def __init__(self) -> None:
        self._tape: Any = None
        self._inputs: list[torch.Tensor] = []

    def capture_begin(self, dry_run: bool = False) -> None:
        """``dry_run`` makes no difference: the ops run."""
        self._tape = _device.Tape()
        _device.flush_graph("capture begin")
        _device.begin_capture(self._tape)

    def capture_end(self) -> None:
        _device.end_capture()
        _device.flush_graph("capture end")

    def replay(self, asynchronous: bool = False) -> None:
        if self._tape is None or _device.is_capturing():
            raise RuntimeError("a replay needs a capture that has ended")
        _device.flush_graph("graph replay")
        self._tape.play()
        _device.flush_graph("graph replay")

    def replayV2(
        self,
        static_tlist: Sequence[torch.Tensor],
        tlist: Sequence[torch.Tensor],
        asynchronous: bool = False,
    ) -> None:
        """With the values of ``tlist`` in the tensors of the capture."""
        for static, fresh in zip(static_tlist, tlist, strict=True):
            if static is not fresh:
                static.copy_(fresh)
        self.replay(asynchronous)

    def replayV3(self, tlistI: Sequence[torch.Tensor], asynchronous: bool = False) -> None:
        """As V2, with the inputs that ``mark_user_inputs`` named."""
        self.replayV2(self._inputs, tlistI, asynchronous)

    def mark_user_inputs(self, static_tlist: Sequence[torch.Tensor]) -> None:
        self._inputs = list(static_tlist)

    def mark_user_outputs(self, static_tlist: Sequence[torch.Tensor]) -> None:
        """All outputs are kept anyway."""

    def clear_inputs(self) -> None:
        self._inputs = []

    def reset(self) -> None:
        """Let go of the work, and of the memory that it holds."""
        self._tape = None
        self._inputs = []


class graph:
    """Captures what runs inside into ``hpu_graph``, on a stream of its own unless one is given."""

    default_capture_stream: Any = None

    def __init__(self, hpu_graph: HPUGraph, stream: Any = None, dry_run: bool = False) -> None:
        if stream is None:
            if graph.default_capture_stream is None:
                graph.default_capture_stream = Stream()
            stream = graph.default_capture_stream
        self.hpu_graph = hpu_graph
        self._stream = StreamContext(stream)
        self._dry_run = dry_run

    def __enter__(self) -> None:
        torch.hpu.synchronize()
        self._stream.__enter__()
        self.hpu_graph.capture_begin(self._dry_run)

    def __exit__(self, *error: object) -> None:
        self.hpu_graph.capture_end()
        self._stream.__exit__(*error)


def is_current_stream_capturing() -> bool:
    return bool(_device.is_capturing())


def make_graphed_callables(
    callables: Any,
    sample_args: Any,
    warmups: int = 0,
    allow_unused_input: bool = False,
    asynchronous: bool = False,
    disable_tensor_cache: bool = False,
    dry_run: bool = False,
) -> Any:
    """The callables, as they are."""
    return callables


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
