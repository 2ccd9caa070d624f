"""The model that LMCache's blender computes chosen tokens with: vLLM's, a layer at a time."""

from __future__ import annotations

from lmcache.v1.compute.models.base import LMCBaseModel


class LMCBaseModelHPU(LMCBaseModel):  # type: ignore[misc]
    """Upstream's with ``compute_layer`` as it is written, not compiled by torch.

    The default backend is not for Gaudi, and no backend compiles a generator as a whole.
    """

    compute_layer = getattr(
        LMCBaseModel.compute_layer, "_torchdynamo_orig_callable", LMCBaseModel.compute_layer
    )
