"""Collectives on tensors of hpu, between two processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="the emulator's tests need torch")

# Each rank prints what it got as JSON; for a refusal, its message.
RANK = """\
import json, sys
import porter.emulator
porter.emulator.install()
import torch, torch.distributed as dist
import habana_frameworks.torch.distributed.hccl

rank, store = int(sys.argv[1]), dist.FileStore(sys.argv[2], 2)
dist.init_process_group("hccl", store=store, rank=rank, world_size=2)
own = lambda count: torch.arange(count, dtype=torch.float32, device="hpu") + 10 * rank
got = {}

def keep(name, tensor):
    assert tensor.device.type == "hpu"
    got[name] = tensor.tolist()

tensor = own(2); dist.all_reduce(tensor); keep("all_reduce", tensor)
tensor = own(2); dist.all_reduce(tensor, async_op=True).wait(); keep("async", tensor)
tensor = own(2); dist.broadcast(tensor, 1); keep("broadcast", tensor)
parts = [own(2), own(2)]; dist.all_gather(parts, own(2)); keep("all_gather", torch.cat(parts))
tensor = own(1); dist.reduce_scatter(tensor, [own(1), own(1)]); keep("reduce_scatter", tensor)
tensor = own(2); dist.all_to_all_single(tensor, own(2)); keep("all_to_all", tensor)
tensor = own(2)
dist.send(tensor, 1) if rank == 0 else dist.recv(tensor, 0)
keep("send", tensor)
dist.barrier()
try:
    dist.all_reduce(torch.ones(2))
except RuntimeError as error:
    got["CPU"] = str(error).splitlines()[0]
print(json.dumps(got))
dist.destroy_process_group()
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    store: Path = tmp_path_factory.mktemp("store") / "file"
    ranks = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", RANK, str(rank), str(store)],
            env={**os.environ, "GLOO_SOCKET_IFNAME": "lo"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    outputs = [rank.communicate(timeout=100) for rank in ranks]
    assert [rank.returncode for rank in ranks] == [0, 0], outputs
    return [json.loads(out.splitlines()[-1]) for out, _ in outputs]


EXPECTED: dict[str, Callable[[int], list[float]]] = {
    "all_reduce": lambda rank: [10, 12],
    "async": lambda rank: [10, 12],
    "broadcast": lambda rank: [10, 11],
    "all_gather": lambda rank: [0, 1, 10, 11],
    "reduce_scatter": lambda rank: [10],
    "all_to_all": lambda rank: [rank, 10 + rank],
    "send": lambda rank: [0, 1],
}


@pytest.mark.parametrize("name", EXPECTED)
def test_collective(results, name):
    assert [result[name] for result in results] == [EXPECTED[name](rank) for rank in range(2)]


def test_a_tensor_of_the_cpu_is_refused(results):
    for result in results:
        assert result["CPU"] == "No backend type associated with device type cpu"
