"""One engine in a process with the device, all steps of a case, and what came of them as JSON.

    python generate.py JOB

JOB is a JSON file: ``model`` and ``result`` are paths, ``transfer`` is vLLM's KVTransferConfig,
``options`` are those of its engine; ``length`` of a prompt, ``migration``, ``lost``, ``blending``,
which is what part of the tokens a blender computes again, or null, and ``modules`` to be imported.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import scratch

MIGRATED = (
    *("Event", "Stream", "current_device", "current_stream", "default_stream", "device_count"),
    *("is_available", "set_device", "stream", "synchronize"),
)
SEPARATOR = [scratch.SEPARATOR] * 2
#: Log-probabilities of two tokens that bf16 may put in either order.
NEAR_TIE = 0.1
Ids = list[int]
Change = Callable[[Any], None]


class Step(NamedTuple):
    """Prompts that are given together; ``hits`` tokens of each are cached, None: some may be.

    ``before`` it LMCache's engine is changed. ``forget``: vLLM has none of their KV itself.
    """

    name: str
    prompts: list[Ids]
    hits: int | None
    before: Change | None = None
    forget: bool = True


def steps(job: dict[str, Any]) -> Iterator[Step]:
    """What a case asks for."""
    length, block = job["length"], job["options"]["block_size"]
    if job["blending"]:
        yield from blended(length, job["blending"])
        return
    first, other, hits = prompt(length, 7, 0), prompt(length, 7, 3), length // block * block
    yield Step("first", [first], 0)
    yield Step("again", [first], hits)
    yield Step("other", [other], 0)
    yield Step("together", [first, other], hits)
    if job["options"]["enable_prefix_caching"]:
        yield Step("kept", [first], hits, forget=False)
        yield Step("shorter", [first[: block + block // 2]], None)
        yield Step("longer", [first], hits, forget=False)
    if job["lost"]:
        yield Step("lost", [first], None, lose)
    yield Step("zeroed", [first], hits, zero)


def blended(length: int, ratio: float) -> Iterator[Step]:
    """Prompts of two parts and a question.

    Where all tokens are computed again, parts that were prompts themselves may be put together in
    any order. Elsewhere that is an approximation, but for a prompt that is the one they are from.
    """
    one, two = prompt(130, 7, 0), prompt(140, 11, 3)
    parts = len(one) + len(SEPARATOR) + len(two)
    question = SEPARATOR + prompt(length - parts - len(SEPARATOR), 31, 40)
    first, other = one + SEPARATOR + two + question, two + SEPARATOR + one + question
    yield Step("first", [first], 0)
    yield Step("again", [first], length - 1)
    if ratio == 1:
        yield Step("other", [other], 0, empty)
        yield Step("parts", [one, two], 0, empty)
        yield Step("moved", [first, other], parts)
    else:
        yield Step("zeroed", [first], length - 1, zero)


def sure(output: Any) -> int:
    """How many tokens come before one that another could have been by rounding alone.

    What a blender computes again goes through attention of another length, so it rounds otherwise.
    All of them where no probabilities were asked for.
    """
    for count, choices in enumerate(output.logprobs or ()):
        best, second = sorted((choice.logprob for choice in choices.values()), reverse=True)[:2]
        if best - second < NEAR_TIE:
            return count
    return len(output.token_ids)


def prompt(length: int, pace: int, shift: int) -> Ids:
    return [(i * pace + shift) % 500 + 3 for i in range(length)]


def main(job: dict[str, Any]) -> None:
    if job["migration"]:
        migrate()
    from vllm import LLM, SamplingParams  # noqa: PLC0415
    from vllm.config import KVTransferConfig  # noqa: PLC0415

    for module in job["modules"]:
        import_module(module)
    options = job["options"]
    llm = LLM(
        model=job["model"],
        skip_tokenizer_init=True,
        dtype="bfloat16",
        max_model_len=512,
        max_num_seqs=4,
        max_num_batched_tokens=512,
        distributed_executor_backend="uni",
        num_gpu_blocks_override=16,
        disable_hybrid_kv_cache_manager=True,
        kv_transfer_config=KVTransferConfig(**job["transfer"]),
        **options,
    )
    engine = lmcache_engine()
    counts = watch(engine.gpu_connector) if engine else {}
    sampling = SamplingParams(
        temperature=0,
        max_tokens=8,
        ignore_eos=True,
        detokenize=False,
        logprobs=2 if job["blending"] else None,
    )
    answer: dict[str, Any] = {"steps": {}}
    prefix = options["enable_prefix_caching"]
    for step in steps(job):
        if step.forget and prefix:
            llm.reset_prefix_cache()
        if step.before and engine:
            step.before(engine)
        before = dict(counts)
        prompts = [{"prompt_token_ids": ids} for ids in step.prompts]
        outputs = llm.generate(prompts, sampling, use_tqdm=False)
        answer["steps"][step.name] = {
            "tokens": [list(output.outputs[0].token_ids) for output in outputs],
            "sure": [sure(output.outputs[0]) for output in outputs],
            "cached": [output.num_cached_tokens for output in outputs],
            "hits": step.hits,
            **{name: count - before[name] for name, count in counts.items()},
        }
    answer.update(observed())
    Path(job["result"]).write_text(json.dumps(answer))


def observed() -> dict[str, Any]:
    from porter import emulator  # noqa: PLC0415
    from porter.emulator.build import load  # noqa: PLC0415

    return {
        "indices": load().index_counts(),
        "reports": [
            {"text": str(report), "file": report.file, "rule": report.rule}
            for report in emulator.reports()
        ],
    }


def lmcache_engine() -> Any:
    """The worker's, or None where LMCache could not start."""
    from vllm.distributed.kv_transfer import get_kv_transfer_group  # noqa: PLC0415

    return get_kv_transfer_group()._lmcache_engine.lmcache_engine


def watch(connector: Any) -> dict[str, int]:
    """Count the tokens that LMCache's connector of this engine stores and loads."""
    counts = {"stored": 0, "loaded": 0}

    def counted(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def count(*arguments: Any, **more: Any) -> Any:
            starts, ends = arguments[-2:]
            counts[name] += sum(ends) - sum(starts)
            return method(*arguments, **more)

        return count

    connector.batched_from_gpu = counted("stored", connector.batched_from_gpu)
    connector.batched_to_gpu = counted("loaded", connector.batched_to_gpu)
    return counts


def memory(engine: Any) -> Any:
    return engine.storage_manager.storage_backends["LocalCPUBackend"]


def empty(engine: Any) -> None:
    """LMCache forgets all that it holds."""
    memory(engine).clear()


def zero(engine: Any) -> None:
    """Write zeros over all that LMCache holds."""
    for memory_obj in memory(engine).hot_cache.values():
        memory_obj.tensor.zero_()


def lose(engine: Any) -> None:
    """LMCache's next load finds the first half of its tokens alone."""
    retrieve, retrieve_layer = engine.retrieve, engine.retrieve_layer

    def find_half(tokens: Any, mask: Any, **more: Any) -> Any:
        restore()
        kept = len(tokens) // 2
        return padded(retrieve(tokens[:kept], mask[:kept], **more), len(tokens))

    def find_half_by_layer(tokens: Any, mask: Any, **more: Any) -> Iterator[Any]:
        restore()
        kept = len(tokens) // 2
        for found in retrieve_layer(tokens[:kept], mask[:kept], **more):
            is_mask = found is not None and found.dim()
            yield padded(found, len(tokens)) if is_mask else found

    def restore() -> None:
        engine.retrieve, engine.retrieve_layer = retrieve, retrieve_layer

    engine.retrieve, engine.retrieve_layer = find_half, find_half_by_layer


def padded(mask: Any, length: int) -> Any:
    from torch.nn.functional import pad  # noqa: PLC0415

    return pad(mask, (0, length - len(mask)))


def migrate() -> None:
    """Stand in for Intel's GPU migration, which makes ``torch.cuda`` speak of the hpu.

    It is there on a card alone. Known of it, and done here: CUDA is said to be available, and the
    calls for devices, streams and waiting reach the hpu. ``torch.version.cuda`` stays None.
    """
    import habana_frameworks.torch  # noqa: F401, PLC0415
    import torch  # noqa: PLC0415

    for name in MIGRATED:
        setattr(torch.cuda, name, getattr(torch.hpu, name))
    torch.Tensor.cuda = lambda self, *_, **more: self.to("hpu", **more)


if __name__ == "__main__":
    try:
        main(json.loads(Path(sys.argv[1]).read_text()))
    except Exception:
        traceback.print_exc()
    # LMCache leaves a thread that would keep this process.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
