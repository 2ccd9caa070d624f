"""What gloo does and hccl does not: each call raises RuntimeError, on all ranks."""

import torch
import torch.distributed as dist
import torch.distributed._functional_collectives as functional
from hccl_checks import empty, others, own
from hccl_training import sharded

REFUSALS = {}


def refused(message):
    def register(function):
        REFUSALS[function.__name__] = (message, function)
        return function

    return register


BY_AVERAGE = "hccl reduces by SUM, PRODUCT, MIN or MAX, not by ReduceOp.AVG"


@refused("No backend type associated with device type cpu")
def tensor_of_the_cpu():
    dist.all_reduce(torch.ones(2))


@refused("c10d::allgather_: a tensor on cpu among tensors on hpu:0")
def tensors_of_both():
    dist.all_gather(others(2, "cpu"), own(2, "hpu"))


@refused(BY_AVERAGE)
def all_reduce_by_average():
    dist.all_reduce(own(2, "hpu"), op=dist.ReduceOp.AVG)


@refused(BY_AVERAGE)
def all_reduce_async_by_average():
    dist.all_reduce(own(2, "hpu"), op=dist.ReduceOp.AVG, async_op=True)


@refused(BY_AVERAGE)
def reduce_by_average():
    dist.reduce(own(2, "hpu"), 0, op=dist.ReduceOp.AVG)


@refused(BY_AVERAGE)
def reduce_scatter_by_average():
    dist.reduce_scatter(empty(2, "hpu"), others(2, "hpu"), op=dist.ReduceOp.AVG)


@refused(BY_AVERAGE)
def reduce_scatter_tensor_by_average():
    whole = own(2 * dist.get_world_size(), "hpu")
    dist.reduce_scatter_tensor(empty(2, "hpu"), whole, op=dist.ReduceOp.AVG)


@refused(BY_AVERAGE)
def coalesced_by_average():
    with dist._coalescing_manager():
        dist.all_reduce(own(2, "hpu"), op=dist.ReduceOp.AVG)


@refused(BY_AVERAGE)
def functional_by_average():
    functional.all_reduce(own(2, "hpu"), "avg", dist.group.WORLD)


@refused(BY_AVERAGE)
def functional_reduce_scatter_by_average():
    whole = own(2 * dist.get_world_size(), "hpu")
    functional.reduce_scatter_tensor(whole, "avg", 0, dist.group.WORLD)


@refused(BY_AVERAGE)
def fsdp2_by_average():
    sharded("hpu")(own(5, "hpu")).sum().backward()


@refused("hccl reduces by SUM, PRODUCT, MIN or MAX, not by ReduceOp.BXOR")
def all_reduce_by_bits():
    dist.all_reduce(own(2, "hpu", torch.int64), op=dist.ReduceOp.BXOR)


@refused("hccl does not receive from any source")
def recv_from_any_source():
    dist.recv(own(2, "hpu"))


@refused("hccl has no all_gather_coalesced")
def all_gather_coalesced():
    dist.all_gather_coalesced([[part] for part in others(2, "hpu")], [own(2, "hpu")])


@refused("hpu:1 does not exist")
def barrier_on_another_card():
    dist.barrier(device_ids=[1])
