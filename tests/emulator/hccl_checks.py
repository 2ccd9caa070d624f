"""What ranks do together, on any device.

A check returns tensors, or lists of them: with hccl on hpu they are what they are with gloo on
the CPU.
"""

import torch
import torch.distributed as dist
import torch.distributed._functional_collectives as functional
import torch.distributed.nn.functional as differentiable
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import Replicate, Shard, distribute_tensor

CHECKS = {}


def check(function):
    CHECKS[function.__name__] = function
    return function


def own(count, device, dtype=torch.float32):
    """Another tensor on each rank."""
    return (torch.arange(count) + 10 * dist.get_rank()).to(device, dtype)


def empty(count, device):
    return torch.full((count,), -1.0, device=device)


def others(count, device):
    return [empty(count, device) for _ in range(dist.get_world_size())]


def neighbours():
    rank, world = dist.get_rank(), dist.get_world_size()
    return (rank + 1) % world, (rank - 1) % world


@check
def all_reduce(device):
    tensors = []
    for op in ("SUM", "MIN", "MAX", "PRODUCT"):
        for dtype in (torch.float32, torch.bfloat16, torch.int64):
            tensors.append(own(5, device, dtype) + 1)
            dist.all_reduce(tensors[-1], op=getattr(dist.ReduceOp, op))
    return tensors


@check
def all_reduce_async(device):
    tensors = [own(3, device), own(4, device)]
    for work in [dist.all_reduce(tensor, async_op=True) for tensor in tensors]:
        work.wait()
        assert work.is_completed()
    return tensors


@check
def result_of_work(device):
    work = dist.all_reduce(own(3, device), async_op=True)
    doubled = work.get_future().then(lambda future: [2 * future.value()[0]])
    work.wait()
    gathered = dist.all_gather(others(2, device), own(2, device), async_op=True)
    return [work.result(), doubled.wait(), gathered.get_future().wait()]


@check
def reduce(device):
    tensor = own(3, device)
    dist.reduce(tensor, 1)
    # The others' tensors are scratch.
    return tensor if dist.get_rank() == 1 else own(3, device)


@check
def broadcast(device):
    tensor = own(3, device)
    dist.broadcast(tensor, 1)
    return tensor


@check
def all_gather(device):
    parts = others(3, device)
    dist.all_gather(parts, own(3, device))
    return parts


@check
def all_gather_into_tensor(device):
    whole = empty(3 * dist.get_world_size(), device)
    dist.all_gather_into_tensor(whole, own(3, device))
    return whole


@check
def gather(device):
    parts = others(3, device) if dist.get_rank() == 0 else None
    dist.gather(own(3, device), parts, 0)
    return parts or []


@check
def scatter(device):
    own_part = empty(2, device)
    world = dist.get_world_size()
    parts = list(own(2 * world, device).chunk(world)) if dist.get_rank() == 1 else None
    dist.scatter(own_part, parts, 1)
    return own_part


@check
def reduce_scatter(device):
    world = dist.get_world_size()
    part = empty(2, device)
    dist.reduce_scatter(part, list(own(2 * world, device).chunk(world)))
    return part


@check
def reduce_scatter_tensor(device):
    part = empty(2, device)
    whole = own(2 * dist.get_world_size(), device)
    dist.reduce_scatter_tensor(part, whole, op=dist.ReduceOp.MAX)
    return part


@check
def all_to_all(device):
    parts = others(2, device)
    dist.all_to_all(parts, list(own(2 * len(parts), device).chunk(len(parts))))
    return parts


@check
def all_to_all_single(device):
    rank, world = dist.get_rank(), dist.get_world_size()
    even = empty(2 * world, device)
    dist.all_to_all_single(even, own(2 * world, device))
    # Rank r sends r + 1 elements to each.
    uneven = empty(world * (world + 1) // 2, device)
    sizes, mine = [source + 1 for source in range(world)], [rank + 1] * world
    dist.all_to_all_single(uneven, own(sum(mine), device), sizes, mine)
    return [even, uneven]


@check
def coalesced(device):
    world = dist.get_world_size()
    sums = [own(3, device), own(4, device)]
    with dist._coalescing_manager():
        for tensor in sums:
            dist.all_reduce(tensor)
    wholes = [empty(count * world, device) for count in (2, 3)]
    with dist._coalescing_manager(async_ops=True) as pending:
        for whole, count in zip(wholes, (2, 3), strict=True):
            dist.all_gather_into_tensor(whole, own(count, device))
    pending.wait()
    parts = [empty(count, device) for count in (2, 3)]
    with dist._coalescing_manager():
        for part, count in zip(parts, (2, 3), strict=True):
            dist.reduce_scatter_tensor(part, own(count * world, device))
    return [sums, wholes, parts]


@check
def send_recv(device):
    tensor = own(3, device)
    if dist.get_rank() == 0:
        dist.send(tensor, 1, tag=7)
    elif dist.get_rank() == 1:
        assert dist.recv(tensor, 0, tag=7) == 0
    return tensor


@check
def isend_irecv(device):
    to, source = neighbours()
    received = empty(3, device)
    for work in (dist.isend(own(3, device), to), dist.irecv(received, source)):
        work.wait()
    return received


@check
def batch_isend_irecv(device):
    to, source = neighbours()
    received = empty(3, device)
    sending = dist.P2POp(dist.isend, own(3, device), to)
    for work in dist.batch_isend_irecv([sending, dist.P2POp(dist.irecv, received, source)]):
        work.wait()
    return received


@check
def barrier(device):
    dist.barrier()
    dist.barrier(async_op=True).wait()
    if device == "hpu":
        dist.barrier(device_ids=[0])
    return []


@check
def objects(device):
    rank, world = dist.get_rank(), dist.get_world_size()
    everyone = [None] * world
    dist.all_gather_object(everyone, {"rank": rank})
    assert everyone == [{"rank": other} for other in range(world)]
    pair = [rank, str(rank)]
    dist.broadcast_object_list(pair, 1)
    assert pair == [1, "1"]
    gathered = [None] * world if rank == 0 else None
    dist.gather_object(("of", rank), gathered, 0)
    assert gathered == ([("of", other) for other in range(world)] if rank == 0 else None)
    scattered = [None]
    dist.scatter_object_list(scattered, list(range(world)) if rank == 0 else None, 0)
    assert scattered == [rank]
    # Tensors in objects arrive on the device that they left.
    dist.all_gather_object(everyone, own(2, device))
    return everyone


@check
def subgroup(device):
    ends = [0, dist.get_world_size() - 1]
    group = dist.new_group(ends)
    tensor = own(3, device)
    if dist.get_rank() in ends:
        dist.all_reduce(tensor, group=group)
    return tensor


@check
def functional_collectives(device):
    world, group = dist.get_world_size(), dist.group.WORLD
    whole = own(2 * world, device)
    results = [
        functional.all_reduce(whole, "sum", group),
        functional.broadcast(whole, 1, group),
        functional.all_gather_tensor(whole, 0, group),
        functional.reduce_scatter_tensor(whole, "max", 0, group),
        functional.all_to_all_single(whole, None, None, group),
        *functional.all_reduce_coalesced([whole, whole + 1], "sum", group),
        *functional.all_gather_into_tensor_coalesced([whole, whole + 1], group),
        *functional.reduce_scatter_tensor_coalesced([whole, whole], "sum", [0, 0], group),
    ]
    return [functional.wait_tensor(result) for result in results]


@check
def differentiable_collectives(device):
    group, gradients = dist.group.WORLD, []
    for collective in (
        lambda tensor: functional.all_gather_tensor_autograd(tensor, 0, group),
        lambda tensor: functional.reduce_scatter_tensor_autograd(tensor, "sum", 0, group),
        lambda tensor: functional.all_to_all_single_autograd(tensor, None, None, group),
        differentiable.all_reduce,
    ):
        tensor = own(2 * dist.get_world_size(), device).requires_grad_()
        result = collective(tensor)
        (result * own(len(result), device)).sum().backward()
        gradients.append(tensor.grad)
    return gradients


@check
def distributed_tensors(device):
    world = dist.get_world_size()
    mesh = init_device_mesh(device, (world,))
    left = torch.arange(6.0 * world, device=device).reshape(2 * world, 3)
    right = torch.arange(3.0 * world, device=device).reshape(3, world)
    product = distribute_tensor(left, mesh, [Shard(0)]) @ distribute_tensor(right, mesh, [Shard(1)])
    return [product.full_tensor(), product.sum().redistribute(mesh, [Replicate()]).to_local()]
