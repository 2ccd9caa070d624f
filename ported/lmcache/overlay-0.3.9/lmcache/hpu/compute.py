"""The model that LMCache's blender computes chosen tokens with: vLLM's, a layer at a time."""

from __future__ import annotations

from typing import Any

import torch
from lmcache.v1.compute.models.base import LMCBaseModel


class LMCBaseModelHPU(LMCBaseModel):  # type: ignore[misc]
    """Upstream's with ``compute_layer`` as it is written, not compiled by torch.

    The default backend is not for Gaudi, and no backend compiles a generator as a whole.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # It makes a rotary embedding of vLLM's, whose table the Gaudi plugin leaves where it is.
        with torch.device("hpu"):
            super().__init__(*args, **kwargs)

    compute_layer = getattr(
        LMCBaseModel.compute_layer, "_torchdynamo_orig_callable", LMCBaseModel.compute_layer
    )
