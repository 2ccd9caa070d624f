"""Where vLLM's Gaudi plugin does otherwise: each hook by itself.

The plugin's modules are stand-ins, after what it is known to do.
"""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

RUNNER = "vllm_gaudi.v1.worker.hpu_model_runner"
Module = Callable[..., ModuleType]
pytestmark = pytest.mark.usefixtures("overlay")


def ours(name: str) -> Any:
    return importlib.import_module(f"lmcache.hpu.gaudi.{name}")


@pytest.mark.parametrize("on", [True, False])
def test_the_defragmenter_is_refused(module: Module, on: bool) -> None:
    config = SimpleNamespace(defrag=on)
    module("vllm_gaudi.extension.runtime", get_config=lambda: config)
    if not on:
        ours("defragmenter").refuse_defragmenter()
        return
    with pytest.raises(RuntimeError, match="set VLLM_DEFRAG=false"):
        ours("defragmenter").refuse_defragmenter()


def test_without_the_plugin_there_is_nothing_to_do() -> None:
    assert not [name for name in sys.modules if name.startswith("vllm_gaudi")]
    ours("defragmenter").refuse_defragmenter()
    ours("load_errors").report_load_errors()


@dataclass
class Output:
    finished_sending: set[str] | None = None
    invalid_block_ids: set[int] = field(default_factory=set)


@dataclass
class OldOutput:
    finished_sending: set[str] | None = None


class Runner:
    """Knows of two requests; the first one is in its batch."""

    def __init__(self) -> None:
        tokens = {"a": [1, 2, 3], "b": [4, 5]}
        self.requests = {
            name: SimpleNamespace(output_token_ids=ids) for name, ids in tokens.items()
        }
        self.input_batch = SimpleNamespace(
            req_id_to_index={"a": 1},
            num_prompt_tokens=[9, 10],
            num_tokens=[9, 13],
            num_tokens_no_spec=[9, 13],
        )
        self.updates = 0

    def _update_states(self, scheduler_output: Any) -> str:
        self.updates += 1
        return "changed"


def test_the_runner_drops_the_tokens_that_the_scheduler_has_dropped(module: Module) -> None:
    module(RUNNER, KVConnectorOutput=Output, HPUModelRunner=(cls := type("R", (Runner,), {})))
    ours("load_errors").report_load_errors()
    ours("load_errors").report_load_errors()
    runner = cls()
    cached = SimpleNamespace(req_ids=["a", "b"], num_output_tokens=[0, 1])
    assert runner._update_states(SimpleNamespace(scheduled_cached_reqs=cached)) == "changed"
    assert runner.updates == 1
    assert [request.output_token_ids for request in runner.requests.values()] == [[], [4]]
    assert runner.input_batch.num_tokens == runner.input_batch.num_tokens_no_spec == [9, 10]


def test_tokens_that_the_scheduler_knows_stay(module: Module) -> None:
    module(RUNNER, KVConnectorOutput=Output, HPUModelRunner=(cls := type("R", (Runner,), {})))
    ours("load_errors").report_load_errors()
    runner = cls()
    cached = SimpleNamespace(req_ids=["a", "b"], num_output_tokens=[3, 4])
    runner._update_states(SimpleNamespace(scheduled_cached_reqs=cached))
    assert [request.output_token_ids for request in runner.requests.values()] == [[1, 2, 3], [4, 5]]
    assert runner.input_batch.num_tokens == [9, 13]


def test_the_runner_reports_blocks_that_were_not_loaded(module: Module) -> None:
    runner = module(RUNNER, KVConnectorOutput=Output, HPUModelRunner=type("R", (Runner,), {}))
    errors = [{7}, set()]
    connector = SimpleNamespace(get_block_ids_with_load_errors=lambda: errors.pop(0))
    module(
        "vllm.distributed.kv_transfer",
        has_kv_transfer_group=lambda: True,
        get_kv_transfer_group=lambda: connector,
    )
    ours("load_errors").report_load_errors()
    ours("load_errors").report_load_errors()
    made = runner.KVConnectorOutput(finished_sending={"r"})
    assert type(made) is Output
    assert made == Output({"r"}, {7})
    assert runner.KVConnectorOutput() == Output()


def test_a_vllm_that_cannot_recompute_is_left_alone(module: Module) -> None:
    runner = module(RUNNER, KVConnectorOutput=OldOutput)
    ours("load_errors").report_load_errors()
    assert runner.KVConnectorOutput is OldOutput


# A load that fails while vLLM is one step ahead.


def vllm_config(policy: str | None, *, ahead: bool) -> Any:
    transfer = (
        SimpleNamespace() if policy is None else SimpleNamespace(kv_load_failure_policy=policy)
    )
    scheduler = SimpleNamespace(async_scheduling=ahead)
    return SimpleNamespace(kv_transfer_config=transfer, scheduler_config=scheduler)


@pytest.mark.parametrize(
    ("policy", "ahead", "after"),
    [
        ("recompute", True, "fail"),
        ("fail", True, "fail"),
        ("recompute", False, "recompute"),
        ("fail", False, "fail"),
    ],
)
def test_nothing_is_recomputed_ahead(
    policy: str, ahead: bool, after: str, caplog: pytest.LogCaptureFixture
) -> None:
    config = vllm_config(policy, ahead=ahead)
    with caplog.at_level(logging.WARNING):
        ours("load_errors").fail_instead_of_recomputing(config)
    assert config.kv_transfer_config.kv_load_failure_policy == after
    warned = [record.message for record in caplog.records]
    assert len(warned) == (policy != after)
    assert all("turn off async_scheduling" in message for message in warned)


def test_a_vllm_without_the_policy_must_not_run_ahead() -> None:
    ours("load_errors").fail_instead_of_recomputing(vllm_config(None, ahead=False))
    with pytest.raises(RuntimeError, match="turn off async_scheduling"):
        ours("load_errors").fail_instead_of_recomputing(vllm_config(None, ahead=True))


# Slot mappings.


def test_slots_stay_on_the_cpu() -> None:
    torch = pytest.importorskip("torch")
    slots = torch.arange(4)
    requests = [SimpleNamespace(slot_mapping=slots), SimpleNamespace(slot_mapping=None)]
    ours("host").keep_on_host(requests)
    kept = requests[0].slot_mapping
    for device in ("hpu", "hpu:0"):
        assert kept.to(device) is kept
    assert kept[1:].to(device="hpu", non_blocking=True).device.type == "cpu"
    assert kept.to(torch.int32).dtype == kept.to("cpu", torch.int32).dtype == torch.int32
    assert kept.to("meta").device.type == "meta"
    assert requests[1].slot_mapping is None


# Layers.


class Layer:
    kv_cache = "cache"

    def forward(self, value: int, *, more: int = 0) -> int:
        return value + more


class Calls:
    def __init__(self) -> None:
        self.made: list[tuple[Any, ...]] = []

    def wait_for_layer_load(self, layer_name: str) -> None:
        self.made.append(("load", layer_name))

    def save_kv_layer(self, layer_name: str, kv_layer: Any, attn_metadata: Any) -> None:
        self.made.append(("save", layer_name, kv_layer))


def test_a_layer_is_called_around_once_and_for_the_last() -> None:
    layer, other, first, last = Layer(), Layer(), Calls(), Calls()
    ours("layers").call_around({"a": layer}, first)
    ours("layers").call_around({"a": layer}, last)
    assert layer.forward(1, more=2) == 3
    assert last.made == [("load", "a"), ("save", "a", "cache")]
    assert first.made == []
    assert other.forward(1) == 1
    assert len(last.made) == 2


class Step:
    """A step of two layers that notes what it is asked for."""

    def __init__(self, **more: Any) -> None:
        self.done: list[str] = []
        self.step = ours("layers").LayerStep(
            ["a", "b"],
            load=lambda layer: self.done.append(f"load {layer}"),
            save=lambda layer: self.done.append(f"save {layer}"),
            **more,
        )

    def run(self, *layers: str) -> list[str]:
        for layer in layers:
            self.step.enter(layer)
            self.done.append(layer)
            self.step.leave(layer)
        return self.done


def test_layers_are_loaded_before_they_run_and_saved_after() -> None:
    assert Step(saved_in=1).run("a", "b") == ["load a", "a", "save a", "load b", "b", "save b"]


def test_a_later_pass_saves_what_an_earlier_one_has_loaded() -> None:
    done = Step(saved_in=2).run("a", "b", "a", "b", "a", "b")
    assert done == ["load a", "a", "load b", "b", "a", "save a", "b", "save b", "a", "b"]


def test_layers_that_run_in_another_order() -> None:
    made = Step(saved_in=1)
    assert made.run("b", "a") == ["load a", "load b", "b", "a", "save a"]
    made.step.save_rest()
    assert made.done[-1] == "save b"


def test_what_is_left_at_the_end() -> None:
    made = Step()
    assert not made.step.is_loaded
    made.step.load_rest()
    assert made.step.is_loaded
    made.step.save_rest()
    assert made.done == ["load a", "load b", "save a", "save b"]
    assert made.run("a", "b") == [*made.done[:4], "a", "b"]


def test_nothing_to_load() -> None:
    made = Step(loads=False)
    assert made.step.is_loaded
    assert made.run("a", "b") == ["a", "b"]


def test_calls_within_calls_count_once() -> None:
    made = Step(saved_in=1)
    for _ in range(2):
        made.step.enter("a")
    for _ in range(2):
        made.step.leave("a")
    assert made.done == ["load a", "save a"]
