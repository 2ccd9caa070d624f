"""Layer by layer: the two calls that the plugin leaves out, and what becomes of them in a step.

vLLM wraps an operation of its own by them, and the plugin's attention does without it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, Protocol

_INNER = "_lmcache_forward"


class LayerCalls(Protocol):
    """What vLLM asks of a connector around each layer."""

    def wait_for_layer_load(self, layer_name: str) -> None: ...

    def save_kv_layer(
        self, layer_name: str, kv_layer: Any, attn_metadata: Any, **more: Any
    ) -> None: ...


def call_around(layers: Mapping[str, Any], calls: LayerCalls) -> None:
    """Make the two calls before and after ``forward`` of each layer; the last ``calls`` count.

    The layers themselves are wrapped, not their classes, so the plugin's forward stays what runs.
    """
    for name, layer in layers.items():
        forward = getattr(layer.forward, _INNER, layer.forward)
        layer.forward = _around(forward, name, layer, calls)


def _around(
    forward: Callable[..., Any], name: str, layer: Any, calls: LayerCalls
) -> Callable[..., Any]:
    @wraps(forward)
    def called(*arguments: Any, **more: Any) -> Any:
        calls.wait_for_layer_load(name)
        output = forward(*arguments, **more)
        calls.save_kv_layer(name, layer.kv_cache, None)
        return output

    setattr(called, _INNER, forward)
    return called


class LayerStep:
    """One step of the runner: which layers are loaded and saved by now.

    The runner makes a forward pass for each batch of prompts, then one for all that decode.
    Everything is loaded in the first. What is saved is complete in the pass ``saved_in``, counted
    from 1, or at the end only, for 0. ``load`` and ``save`` take the next of ``layers``, which are
    in the order of the caches, for all requests of the step; ``loads``: there are some to load.
    """

    def __init__(
        self,
        layers: Sequence[str],
        load: Callable[[str], None],
        save: Callable[[str], None],
        *,
        loads: bool = True,
        saved_in: int = 0,
    ) -> None:
        self._layers = layers
        self._place = {name: place for place, name in enumerate(layers)}
        self._load, self._save, self._saved_in = load, save, saved_in
        self._loaded, self._saved = 0 if loads else len(layers), 0
        self._pass = 0
        self._first: str | None = None
        self._running: str | None = None

    @property
    def is_loaded(self) -> bool:
        return self._loaded == len(self._layers)

    def enter(self, layer: str) -> None:
        """Before ``layer`` runs: it is loaded. A second call before it has run does nothing."""
        if layer == self._running:
            return
        self._running = layer
        self._first = self._first or layer
        self._pass += layer == self._first
        self._load_up_to(self._place[layer] + 1)

    def leave(self, layer: str) -> None:
        """After ``layer`` has run: it is saved, if this is the pass to do so."""
        if layer != self._running:
            return
        self._running = None
        if self._pass == self._saved_in and self._place[layer] == self._saved:
            self._save_up_to(self._saved + 1)

    def load_rest(self) -> None:
        self._load_up_to(len(self._layers))

    def save_rest(self) -> None:
        self._save_up_to(len(self._layers))

    def _load_up_to(self, end: int) -> None:
        while self._loaded < end:
            self._load(self._layers[self._loaded])
            self._loaded += 1

    def _save_up_to(self, end: int) -> None:
        while self._saved < end:
            self._save(self._layers[self._saved])
            self._saved += 1
