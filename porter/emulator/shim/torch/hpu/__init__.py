"""``torch.hpu``."""

from __future__ import annotations

import sys

import torch

from ..utils.internal import is_lazy as _is_lazy
from . import _utils, events, memory, metrics, random, streams
from ._device import (
    _is_in_bad_fork,
    _lazy_init,
    can_device_access_peer,
    current_device,
    device,
    device_count,
    device_of,
    get_arch_list,
    get_autocast_hpu_dtype,
    get_device_capability,
    get_device_name,
    get_device_properties,
    get_gencode_flags,
    init,
    is_autocast_hpu_enabled,
    is_available,
    is_bf16_supported,
    is_initialized,
    memory_usage,
    set_autocast_hpu_dtype,
    set_autocast_hpu_enabled,
    set_device,
    synchronize,
)
from ._tuning import (
    disable_const_section_serialization,
    disable_dynamic_shape,
    disable_inference_mode,
    disable_matmul3d_2d_reshape,
    disable_optim_output_sif,
    disable_quantization,
    enable_const_section_serialization,
    enable_dynamic_shape,
    enable_inference_mode,
    enable_matmul3d_2d_reshape,
    enable_optim_output_sif,
    enable_quantization,
    enable_recompute_sdp,
    get_dynamic_shape_status,
    get_sync_debug_mode,
    getDeterministic,
    recompute_sdp_enabled,
    sdp_kernel,
    set_sync_debug_mode,
    setDeterministic,
)
from ._utils import _get_device_index
from .events import Event
from .memory import (
    max_memory_allocated,
    max_memory_cached,
    max_memory_reserved,
    mem_get_info,
    memory_allocated,
    memory_cached,
    memory_reserved,
    memory_stats,
    memory_summary,
    reset_accumulated_memory_stats,
    reset_peak_memory_stats,
)
from .metrics import (
    InvalidMetricDumpFileFormat,
    InvalidMetricDumpTrigger,
    MetricNotFound,
    metric_global,
    metric_localcontext,
    metrics_dump,
)
from .random import (
    get_rng_state,
    get_rng_state_all,
    initial_seed,
    manual_seed,
    manual_seed_all,
    seed,
    seed_all,
    set_rng_state,
    set_rng_state_all,
)
from .streams import (
    Stream,
    StreamContext,
    current_stream,
    default_stream,
    record_stream,
    set_stream,
    stream,
)

if _is_lazy():
    from . import graphs
    from .graphs import (
        HPUGraph,
        graph,
        is_current_stream_capturing,
        make_graphed_callables,
        wrap_in_hpu_graph,
        wrap_in_hpu_graph_func,
    )

torch._register_device_module("hpu", sys.modules[__name__])
# Else ``import torch.hpu.streams`` would load a second Stream class beside this one.
for _name in ("_utils", "events", "graphs", "memory", "metrics", "random", "streams"):
    if _name in globals():
        sys.modules[f"torch.hpu.{_name}"] = globals()[_name]
