"""What programs of checks share that run with a ported release first on the path.

Such a program ends with ``main``; a report of the sanitizer is a failure.
"""

import random
import sys
from contextlib import contextmanager

import torch

import porter.emulator

porter.emulator.install()

import habana_frameworks.torch  # noqa: E402, F401
import kv_reference as ref  # noqa: E402
from forking import serve  # noqa: E402


@contextmanager
def third_parties():
    """A module of another package that is missing ends the program with its name."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name.partition(".")[0] in ("lmcache", "porter"):
            raise
        sys.exit(f"needs {error.name}")


with third_parties():
    from lmcache.hpu.connectors import paged  # noqa: F401
    from lmcache.v1.memory_management import MemoryFormat  # noqa: F401

DTYPE = torch.bfloat16
CHUNK = 2 * ref.BLOCK
LAYERS, TOKENS = 3, 2 * CHUNK + ref.BLOCK + 3  # two whole objects, then a block and three tokens
SPANS = [(0, CHUNK), (CHUNK, 2 * CHUNK), (2 * CHUNK, TOKENS)]
PAIR, _, _, _, MLA, _ = ref.LAYOUTS
SLOTS = [
    block * ref.BLOCK + offset
    for block in random.Random(0).sample(range(ref.BLOCKS), ref.BLOCKS)
    for offset in range(ref.BLOCK)
][:TOKENS]


def allocator(release):
    if release < "0.5.2":
        from lmcache.v1.memory_management import AdHocMemoryAllocator  # noqa: PLC0415
    else:
        from lmcache.v1.memory_allocators.ad_hoc_memory_allocator import (  # noqa: PLC0415
            AdHocMemoryAllocator,
        )
    return AdHocMemoryAllocator("cpu")


def metadata(use_mla=False, layers=LAYERS):
    from lmcache.v1.metadata import LMCacheMetadata  # noqa: PLC0415

    shape = (layers, 1, CHUNK, 1, ref.WIDTH) if use_mla else (layers, 2, CHUNK, ref.HEADS, ref.HEAD)
    return LMCacheMetadata("m", 1, 1, 0, 0, DTYPE, shape, use_mla=use_mla, chunk_size=CHUNK)


def found_in(steps, *errors):
    """The rules of the sanitizer that ``steps`` break, and "wrong bits" for one of ``errors``."""
    torch.hpu.synchronize()
    porter.emulator.forget()
    wrong = []
    try:
        steps()
    except errors:
        wrong = ["wrong bits"]
    torch.hpu.synchronize()
    found = {report.rule for report in porter.emulator.reports()}
    porter.emulator.forget()
    return {*found, *wrong}


def refused(complaint, call):
    try:
        call()
    except ValueError as error:
        assert complaint in str(error), error
    else:
        raise AssertionError(f"not refused: {complaint}")


def main(checks):
    """Do checks by name, each with the release that is there, as they are asked for."""

    def do(job):
        check, release = job
        checks[check](release)
        # Upstream asks each kind of device whether it is there, CUDA too.
        found = [report for report in porter.emulator.reports() if report.rule != "cuda-probe"]
        assert not found, found

    serve(do)
