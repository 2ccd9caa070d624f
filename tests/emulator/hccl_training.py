"""Checks as in ``hccl_checks``: training on several ranks."""

from contextlib import nullcontext

import torch
import torch.distributed as dist
from hccl_checks import check, own
from torch.distributed.algorithms.ddp_comm_hooks import default_hooks, powerSGD_hook
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import (
    FullyShardedDataParallel,
    MixedPrecision,
    MixedPrecisionPolicy,
    ShardingStrategy,
    fully_shard,
)
from torch.nn.parallel import DistributedDataParallel


def model(device):
    torch.manual_seed(0)
    layers = torch.nn.Linear(5, 7), torch.nn.ReLU(), torch.nn.Linear(7, 3)
    return torch.nn.Sequential(*layers).to(device)


def losses(model, device, clip=None):
    """Of three steps of training; each rank has its own data."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    seen = []
    for step in range(3):
        optimizer.zero_grad()
        loss = model(own(20, device).reshape(4, 5) / 10 + step).square().mean()
        loss.backward()
        if clip:
            clip(0.5)
        optimizer.step()
        seen.append(loss.detach())
    return seen


@check
def ddp(device):
    results = []
    for hook in (None, default_hooks.allreduce_hook, default_hooks.fp16_compress_hook):
        replica = DistributedDataParallel(model(device))
        if hook:
            replica.register_comm_hook(None, hook)
        results.append(losses(replica, device))
        results.append([parameter.grad for parameter in replica.parameters()])
        results.append([parameter.detach() for parameter in replica.parameters()])
    return results


@check
def ddp_power_sgd(device):
    replica = DistributedDataParallel(model(device))
    state = powerSGD_hook.PowerSGDState(None, start_powerSGD_iter=2, min_compression_rate=0.1)
    replica.register_comm_hook(state, powerSGD_hook.powerSGD_hook)
    return losses(replica, device)


@check
def ddp_without_sync(device):
    replica = DistributedDataParallel(model(device))
    for context in (replica.no_sync(), nullcontext()):
        with context:
            replica(own(5, device)).sum().backward()
    return [parameter.grad for parameter in replica.parameters()]


@check
def fsdp1(device):
    here = torch.device(device, 0) if device == "hpu" else torch.device(device)
    half = MixedPrecision(param_dtype=torch.bfloat16, reduce_dtype=torch.float32)
    results = []
    for strategy, precision in (
        (ShardingStrategy.FULL_SHARD, None),
        (ShardingStrategy.SHARD_GRAD_OP, None),
        (ShardingStrategy.FULL_SHARD, half),
    ):
        sharded = FullyShardedDataParallel(
            model(device),
            device_id=here,
            sharding_strategy=strategy,
            mixed_precision=precision,
            use_orig_params=True,
        )
        results.append(losses(sharded, device, clip=sharded.clip_grad_norm_))
        with FullyShardedDataParallel.summon_full_params(sharded):
            results.append([parameter.detach().clone() for parameter in sharded.parameters()])
        results.append(list(sharded.state_dict().values()))
    return results


def sharded(device, mesh=None, **options):
    mesh = mesh or init_device_mesh(device, (dist.get_world_size(),))
    whole = model(device)
    for part in (whole[0], whole[2], whole):
        fully_shard(part, mesh=mesh, **options)
    return whole


def trained_by_sums(whole, device):
    for part in (whole[0], whole[2], whole):
        part.set_force_sum_reduction_for_comms(True)
    return [
        losses(whole, device),
        [parameter.grad.full_tensor() for parameter in whole.parameters()],
        [parameter.detach().full_tensor() for parameter in whole.parameters()],
    ]


@check
def fsdp2_with_forced_sum(device):
    half = MixedPrecisionPolicy(param_dtype=torch.bfloat16, reduce_dtype=torch.float32)
    return [
        trained_by_sums(sharded(device, **options), device)
        for options in ({}, {"reshard_after_forward": False}, {"mp_policy": half})
    ]


@check
def fsdp2_in_replicas(device):
    shape = 2, dist.get_world_size() // 2
    mesh = init_device_mesh(device, shape, mesh_dim_names=("replicas", "shards"))
    return trained_by_sums(sharded(device, mesh), device)
