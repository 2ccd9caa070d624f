"""Run as a program: what LMCache's own HPU connector does on the emulated device, and its mutants.

    lmcache_trials.py TREE FOLDER

TREE is an unpacked wheel of LMCache; the mutants' files go to FOLDER. Standard output has one line
of JSON: the verdicts by the names of the trials.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import importlib.util
import json
import linecache
import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import porter.emulator

porter.emulator.install()

import habana_frameworks.torch  # noqa: E402, F401
import torch  # noqa: E402

LAYERS, BLOCKS, BLOCK, HEADS, HEAD = 4, 32, 16, 8, 64
TOKENS = 200
CONNECTOR = "lmcache.v1.gpu_connector.hpu_connector"
Cache = list[tuple[torch.Tensor, torch.Tensor]]
Edit = tuple[str, str, str]
# Method, text in it, what takes its place.
NO_SYNCHRONIZE = ("from_gpu", "torch.hpu.synchronize()", "pass")
NOT_MOVED = ("to_gpu", ".to(slot_mapping.device)", "")
NOT_WAITED_FOR = [
    ("to_gpu", ".to(slot_mapping.device)", ".to(slot_mapping.device, non_blocking=True)"),
    ("to_gpu", "torch.hpu.synchronize()", "pass"),
]
CUDA_SYNCHRONIZE = ("from_gpu", "torch.hpu.synchronize()", "torch.cuda.synchronize()")
KEYS_AS_VALUES = ("to_gpu", "tmp_v[i]", "tmp_k[i]")


def full(seed: int) -> Cache:
    source = torch.Generator().manual_seed(seed)
    shape = (BLOCKS, BLOCK, HEADS, HEAD)

    def pages() -> torch.Tensor:
        return torch.randn(shape, generator=source).bfloat16().to("hpu")

    return [(pages(), pages()) for _ in range(LAYERS)]


def empty() -> Cache:
    return [(keys.zero_(), values.zero_()) for keys, values in full(0)]


def scattered_slots(count: int) -> torch.Tensor:
    order = torch.randperm(BLOCKS * BLOCK, generator=torch.Generator().manual_seed(1))
    return order[:count].to("hpu")


def memory_object(tokens: int) -> Any:
    """As the cache's allocator makes it, on pinned memory."""
    memory = importlib.import_module("lmcache.v1.memory_management")
    shape = torch.Size([2, LAYERS, tokens, HEADS * HEAD])
    raw = torch.empty(shape.numel() * 2, dtype=torch.uint8, pin_memory=True)
    metadata = memory.MemoryObjMetadata(
        shape, torch.bfloat16, 0, raw.numel(), 1,
        fmt=memory.MemoryFormat.KV_2LTD, shapes=[shape], dtypes=[torch.bfloat16],
    )  # fmt: skip
    return memory.TensorMemoryObj(raw, metadata, None)


def came_back(before: Cache, after: Cache, slots: torch.Tensor) -> bool:
    """Bit for bit in these slots, and nothing in the others."""
    moved = torch.zeros(BLOCKS * BLOCK, dtype=torch.bool)
    moved[slots.cpu()] = True
    for old, new in zip(sum(before, ()), sum(after, ()), strict=True):
        expected, found = (
            pages.cpu().view(BLOCKS * BLOCK, -1).view(torch.int16) for pages in (old, new)
        )
        if not torch.equal(found[moved], expected[moved]) or found[~moved].any():
            return False
    return True


def mutant(original: ModuleType, folder: Path, edits: Iterable[Edit]) -> ModuleType:
    """The connector's module with text replaced in some of its methods."""
    text = Path(str(original.__file__)).read_text(encoding="utf-8")
    for method, old, new in edits:
        lines = text.splitlines(keepends=True)
        (node,) = (
            node
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.FunctionDef) and node.name == method
        )
        span = slice(node.lineno - 1, node.end_lineno)
        body = "".join(lines[span])
        assert old in body, f"{method} has no {old}"
        text = "".join([*lines[: span.start], body.replace(old, new), *lines[span.stop :]])
    path = folder / f"mutant_{len(list(folder.iterdir()))}.py"
    path.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Trial:
    """What goes out of one cache and comes into another, how it ends, and what is reported."""

    def __init__(self, module: ModuleType) -> None:
        self.out = module.VLLMPagedMemHPUConnectorV2()
        self.back = module.VLLMPagedMemHPUConnectorV2()
        self.source, self.target = full(7), empty()
        self.slots = scattered_slots(TOKENS)
        self.memory = memory_object(TOKENS)

    def store(self) -> None:
        self.out.from_gpu(self.memory, 0, TOKENS, kvcaches=self.source, slot_mapping=self.slots)

    def load(self, memory: Any = None) -> None:
        self.back.to_gpu(
            memory or self.memory, 0, TOKENS, kvcaches=self.target, slot_mapping=self.slots
        )

    def through_a_backend(self) -> None:
        """What the storage keeps is what it finds as soon as the connector returns."""
        self.store()
        again = memory_object(TOKENS)
        again.tensor.copy_(self.memory.tensor)
        self.load(again)

    def buffer_used_again(self) -> None:
        self.store()
        self.load()
        self.memory.tensor.zero_()

    def on_a_side_stream(self, waits: bool) -> None:
        self.store()
        self.target[0][0].add_(0)
        main, side = torch.hpu.current_stream(), torch.hpu.Stream()
        if waits:
            side.wait_stream(main)
        with torch.hpu.stream(side):
            self.load()
        if waits:
            main.wait_stream(side)

    def verdict(self, drive: Callable[[Trial], None] = through_a_backend) -> dict[str, Any]:
        porter.emulator.forget()
        error = None
        try:
            drive(self)
        except Exception as problem:
            error = type(problem).__name__
        torch.hpu.synchronize()
        return {
            "error": error,
            "came back": came_back(self.source, self.target, self.slots),
            "reports": [
                (found.rule, linecache.getline(found.file, found.line).strip())
                for found in porter.emulator.reports()
            ],
        }


def distinct_graphs(module: ModuleType, lengths: Iterable[int]) -> dict[str, int]:
    """Of stores and of loads of chunks of these lengths."""
    connector, cache, slots = module.VLLMPagedMemHPUConnectorV2(), full(3), scattered_slots(300)
    graphs = {}
    for move in (connector.from_gpu, connector.to_gpu):
        with porter.emulator.record() as recording:
            for length in lengths:
                chunk = memory_object(length)
                move(chunk, 0, length, kvcaches=cache, slot_mapping=slots)
        graphs[move.__name__] = recording.graphs
    return graphs


def trials(connector: ModuleType, folder: Path) -> Iterator[tuple[str, Any]]:
    def changed(*edits: Edit) -> Trial:
        return Trial(mutant(connector, folder, edits))

    yield "original", Trial(connector).verdict()
    yield "original, waited for", Trial(connector).verdict(lambda it: it.on_a_side_stream(True))
    yield "M1", changed(NO_SYNCHRONIZE).verdict()
    yield "M2", changed(NOT_MOVED).verdict()
    yield "M3", changed(*NOT_WAITED_FOR).verdict(Trial.buffer_used_again)
    yield "M4", changed(CUDA_SYNCHRONIZE).verdict()
    yield "M5", changed(KEYS_AS_VALUES).verdict()
    yield "M6", Trial(connector).verdict(lambda it: it.on_a_side_stream(False))
    yield "32 lengths", distinct_graphs(connector, range(100, 132))
    yield "one length", distinct_graphs(connector, [128] * 8)


def main(tree: str, folder: str) -> None:
    logging.disable(logging.CRITICAL)
    sys.path.insert(0, tree)
    with contextlib.redirect_stdout(sys.stderr):
        verdicts = dict(trials(importlib.import_module(CONNECTOR), Path(folder)))
    print(json.dumps(verdicts))


if __name__ == "__main__":
    main(*sys.argv[1:])
