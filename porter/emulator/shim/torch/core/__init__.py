"""Step marks, and what the import of the bridge changes in torch."""

from .. import hpu
from ._environment import (
    hpu_inference_initialize,
    hpu_initialize,
    hpu_reset_env,
    hpu_set_env,
    hpu_set_inference_env,
    hpu_teardown_inference_env,
)
from .step_closure import add_step_closure, iter_mark_step, mark_step
from .torch_overwrites import overwrite as _overwrite

_overwrite()
