"""The process group backend ``hccl``, with gloo underneath: for tensors on hpu, and no others."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from inspect import signature
from typing import Any

import torch.distributed as dist


def initialize_distributed_hpu(
    world_size: int | None = None, rank: int | None = None, local_rank: int | None = None
) -> tuple[int, int, int]:
    """World size, rank and local rank: as given, else of torchrun, else of OpenMPI."""
    world = _first(world_size, "WORLD_SIZE", "OMPI_COMM_WORLD_SIZE", default=1)
    own = _first(rank, "RANK", "OMPI_COMM_WORLD_RANK", default=-1)
    local = _first(local_rank, "LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_RANK", default=-1)
    if world > 1 and local >= 0:
        os.environ["HLS_MODULE_ID"] = str(local)
        os.environ["ID"] = str(own)
    return world, own, local


def _first(given: int | None, *variables: str, default: int) -> int:
    if given is not None:
        return given
    return next((int(os.environ[name]) for name in variables if name in os.environ), default)


def _create(store: Any, rank: int, size: int, timeout: timedelta) -> Any:
    return dist.ProcessGroupGloo(store, rank, size, timeout=timeout)


def _checks_op(collective: Callable[..., Any]) -> Callable[..., Any]:
    """gloo averages; hccl does not."""
    parameters = signature(collective)

    @wraps(collective)
    def checked(*args: Any, **kwargs: Any) -> Any:
        arguments = parameters.bind(*args, **kwargs).arguments
        tensor = next(iter(arguments.values()))
        op = arguments.get("op", dist.ReduceOp.SUM)
        if tensor.device.type == "hpu" and op not in _OPS:
            raise RuntimeError(f"Unsupported ReduceOp for HCCL process group: {op}")
        return collective(*args, **kwargs)

    return checked


if dist.is_available() and "hccl" not in dist.Backend.backend_list:
    dist.Backend.register_backend("hccl", _create, devices=["hpu"])
    _OPS = (dist.ReduceOp.SUM, dist.ReduceOp.MIN, dist.ReduceOp.MAX, dist.ReduceOp.PRODUCT)
    for _name in ("all_reduce", "reduce", "reduce_scatter", "reduce_scatter_tensor"):
        _checked = _checks_op(getattr(dist, _name))
        setattr(dist, _name, _checked)
        setattr(dist.distributed_c10d, _name, _checked)
initialize_distributed_hpu()
