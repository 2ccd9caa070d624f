"""Run as a program: the checks and the refusals, between the given number of processes.

Prints, as JSON, a verdict for each name: "" if all went well, else what each rank saw.
"""

import json
import os
import signal
import sys
import tempfile
import traceback
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import porter.emulator

porter.emulator.install()

import hccl_training  # noqa: E402, F401
import torch  # noqa: E402
import torch.distributed as dist  # noqa: E402
from habana_frameworks.torch.distributed import hccl  # noqa: E402
from hccl_checks import CHECKS, all_reduce  # noqa: E402
from hccl_refusals import REFUSALS  # noqa: E402

WORLD = int(sys.argv[1])
SECONDS = 60  # in which a rank is done, or dead


@contextmanager
def default_group(backend, rank, store):
    dist.init_process_group(
        backend,
        store=dist.FileStore(str(store), WORLD),
        rank=rank,
        world_size=WORLD,
        timeout=timedelta(seconds=SECONDS / 3),
    )
    yield
    dist.destroy_process_group()


def fetched(value, device):
    """The tensors of ``value``, all of which are on ``device``, on the CPU."""
    if isinstance(value, (list, tuple)):
        return [fetched(item, device) for item in value]
    assert value.device.type == device, f"a tensor on {value.device}"
    return value.cpu()


def same(left, right):
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    return left.dtype == right.dtype and torch.equal(left, right)


def compare(verdicts, rank, folder):
    results = {"cpu": {}, "hpu": {}}
    for device, backend in (("cpu", "gloo"), ("hpu", "hccl")):
        with default_group(backend, rank, folder / backend):
            for name, check in CHECKS.items():
                verdicts[name] = f"failed on {device}"
                try:
                    results[device][name] = fetched(check(device), device)
                except AssertionError as error:
                    # Wrong on all ranks alike: none of them waits for another.
                    verdicts[name] += f": {error}"
    for name in results["cpu"].keys() & results["hpu"].keys():
        found, expected = results["hpu"][name], results["cpu"][name]
        verdicts[name] = "" if same(found, expected) else f"{found}, not {expected}"


def refuse(verdicts, rank, folder):
    with default_group("hccl", rank, folder / "refusals"):
        for name, (message, call) in REFUSALS.items():
            verdicts[name] = "not refused"
            try:
                call()
            except RuntimeError as error:
                verdicts[name] = "" if str(error).startswith(message) else f"refused by {error}"


def mix(verdicts, rank, folder):
    verdicts["both_backends"] = "failed"
    with default_group("cpu:gloo,hpu:hccl", rank, folder / "both"):
        results = [fetched(all_reduce(device), device) for device in ("cpu", "hpu")]
        dist.barrier()
    verdicts["both_backends"] = "" if same(*results) else f"{results[1]}, not {results[0]}"


def start(verdicts, rank, folder):
    os.environ.update(WORLD_SIZE=str(WORLD), RANK=str(rank), LOCAL_RANK=str(rank))
    os.environ["HABANA_VISIBLE_MODULES"] = "4,5,6,7"
    found = hccl.initialize_distributed_hpu(), os.environ["HLS_MODULE_ID"], os.environ["ID"]
    expected = (WORLD, rank, rank), str(4 + rank), str(rank)
    verdicts["environment"] = "" if found == expected else f"{found}, not {expected}"


def run(rank, folder):
    signal.alarm(SECONDS)
    torch.set_num_threads(1)
    verdicts = {}
    try:
        for part in (start, compare, refuse, mix):
            part(verdicts, rank, folder)
    except Exception:
        verdicts["no_rank_stopped"] = traceback.format_exc()
    else:
        verdicts["no_rank_stopped"] = ""
    (folder / f"{rank}.json").write_text(json.dumps(verdicts))


def verdicts(folder):
    by_rank = [
        json.loads(file.read_text()) if file.is_file() else {"no_rank_stopped": "hung or crashed"}
        for file in (folder / f"{rank}.json" for rank in range(WORLD))
    ]
    # What one rank did not reach, it has no verdict on.
    return {
        name: "\n".join(
            f"rank {rank}: {verdict}"
            for rank, each in enumerate(by_rank)
            if (verdict := each.get(name, "not run"))
        )
        for name in dict.fromkeys(name for each in by_rank for name in each)
    }


with tempfile.TemporaryDirectory() as name:
    children = []
    for rank in range(WORLD):
        if not (child := os.fork()):
            try:
                run(rank, Path(name))
            finally:
                os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    print(json.dumps(verdicts(Path(name))))
