"""The process group backend ``hccl``, with gloo underneath: for tensors on hpu, and no others."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import torch.distributed as dist


def initialize_distributed_hpu(
    world_size: int | None = None, rank: int | None = None, local_rank: int | None = None
) -> tuple[int, int, int]:
    """World size, rank and local rank: as given, else of torchrun, else of OpenMPI.

    Of several ranks, each takes the module of its local rank, unless it has been given one.
    """
    world = _first(world_size, "WORLD_SIZE", "OMPI_COMM_WORLD_SIZE", default=1)
    own = _first(rank, "RANK", "OMPI_COMM_WORLD_RANK", default=-1)
    local = _first(local_rank, "LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_RANK", default=-1)
    if world > 1 and local >= 0:
        modules = os.environ.get("HABANA_VISIBLE_MODULES")
        module = modules.split(",")[local] if modules else str(local)
        os.environ.setdefault("HLS_MODULE_ID", module)
    if own >= 0:
        os.environ["ID"] = str(own)
    return world, own, local


def _first(given: int | None, *variables: str, default: int) -> int:
    if given is not None:
        return given
    return next((int(os.environ[name]) for name in variables if name in os.environ), default)


def _create(store: Any, rank: int, size: int, timeout: timedelta) -> Any:
    return dist.ProcessGroupGloo(store, rank, size, timeout=timeout)


if dist.is_available() and "hccl" not in dist.Backend.backend_list:
    dist.Backend.register_backend("hccl", _create, devices=["hpu"])
initialize_distributed_hpu()
