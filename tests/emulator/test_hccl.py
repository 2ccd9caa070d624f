"""Collectives between two processes, on the backend that Gaudi code names."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

RANK = """
import porter.emulator; porter.emulator.install()
import sys, torch, torch.distributed as dist
import habana_frameworks.torch.distributed.hccl as hccl
assert hccl.initialize_distributed_hpu() == (2, int(sys.argv[1]), int(sys.argv[1]))
dist.init_process_group("hccl", init_method="file://" + sys.argv[2],
                        rank=int(sys.argv[1]), world_size=2)
rank = dist.get_rank()
mine = torch.full((2,), float(rank + 1), device="hpu")
total = mine.clone(); dist.all_reduce(total)
assert total.tolist() == [3, 3] and total.device.type == "hpu"
work = dist.all_reduce(later := mine.clone(), async_op=True); work.wait()
assert later.tolist() == [3, 3]
everyone = [torch.empty(2, device="hpu") for _ in range(2)]
dist.all_gather(everyone, mine)
assert [part.tolist() for part in everyone] == [[1, 1], [2, 2]]
first = mine.clone(); dist.broadcast(first, 0)
assert first.tolist() == [1, 1]
dist.barrier()
for refused in (lambda: dist.all_reduce(torch.ones(1)),
                lambda: dist.all_reduce(mine.clone(), op=dist.ReduceOp.AVG)):
    try:
        refused()
    except (RuntimeError, ValueError) as error:
        print(str(error).splitlines()[0])
    else:
        raise SystemExit("not refused")
both = dist.new_group(backend="cpu:gloo,hpu:hccl")
for device in ("cpu", "hpu"):
    one = torch.ones(1, device=device); dist.all_reduce(one, group=both)
    assert one.item() == 2
dist.destroy_process_group()
"""


def test_two_processes(tmp_path: Path) -> None:
    ranks = [
        subprocess.Popen(
            [sys.executable, "-c", RANK, str(rank), str(tmp_path / "store")],
            env={
                **os.environ,
                "WORLD_SIZE": "2",
                "RANK": str(rank),
                "LOCAL_RANK": str(rank),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    for rank in ranks:
        out, err = rank.communicate(timeout=120)
        assert rank.returncode == 0, err
        cpu, average = out.splitlines()
        assert "cpu" in cpu
        assert "AVG" in average
