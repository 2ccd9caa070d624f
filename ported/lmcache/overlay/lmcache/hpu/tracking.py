"""LMCache's blender is told which model vLLM's worker has loaded; upstream patches the worker."""

from __future__ import annotations

from functools import wraps
from typing import Any

_OURS = "_lmcache_tracks_models"
_ADAPTER = "HpuModelAdapter"


def track_models() -> None:
    """Have vLLM's loaders tell of what they load. A second call changes nothing.

    The first model is the blender's; a draft model for speculative decoding comes behind it.
    """
    from vllm.model_executor.model_loader.base_loader import BaseModelLoader  # noqa: PLC0415

    load = BaseModelLoader.load_model
    if hasattr(load, _OURS):
        return

    @wraps(load)
    def loaded(self: Any, *args: Any, **kwargs: Any) -> Any:
        model = load(self, *args, **kwargs)
        track(model)
        return model

    setattr(loaded, _OURS, True)
    BaseModelLoader.load_model = loaded


def track(model: Any) -> None:
    """Make it the blender's, unless there is one: vLLM's own, below the Gaudi plugin's adapter."""
    from lmcache.integration.vllm.utils import ENGINE_NAME  # noqa: PLC0415
    from lmcache.v1.compute.models.utils import VLLMModelTracker  # noqa: PLC0415

    while type(model).__name__ == _ADAPTER:
        model = model.model
    if ENGINE_NAME not in VLLMModelTracker._vllm_models:
        VLLMModelTracker.register_model(ENGINE_NAME, model)
