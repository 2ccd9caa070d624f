"""The API table of the bridge: what replacements and emitted code may name."""

from __future__ import annotations

import ast

import pytest

from porter.resources import rules_folder
from porter.rulebook import ApiTable

KINDS = {"module", "attribute", "class"}


@pytest.fixture(scope="module")
def table() -> ApiTable:
    return ApiTable.load(rules_folder() / "api" / "gaudi-1.19.toml")


@pytest.mark.parametrize(
    "name",
    [
        "torch.hpu",
        "torch.hpu.is_available",
        "torch.hpu.Stream.wait_stream",
        "torch.hpu.Stream.hpu_stream",
        "torch.hpu.Event.elapsed_time",
        "torch.hpu.mem_get_info",
        "torch.hpu.memory.mem_get_info",
        "torch.hpu.random.default_generators",
        "torch.hpu.HPUGraph.replay",
        "torch.hpu.metrics.metric_localcontext",
        "habana_frameworks.torch",
        "habana_frameworks.torch.core.mark_step",
        "habana_frameworks.torch.distributed.hccl.initialize_distributed_hpu",
        "habana_frameworks.torch.hpu.wrap_in_hpu_graph",
        "habana_frameworks.torch.hpex.kernels.FusedSDPA.apply",
        "habana_frameworks.torch.utils.experimental._data_ptr",
        "habana_frameworks.torch.utils.internal.is_lazy",
    ],
)
def test_what_the_bridge_has(table: ApiTable, name: str) -> None:
    assert table.has(name)
    assert table.missing([name]) == []


@pytest.mark.parametrize(
    "name",
    [
        "torch.hpu.empty_cache",
        "torch.hpu.OutOfMemoryError",
        "torch.hpu.cudart",
        "torch.hpu.ipc_collect",
        "torch.hpu.memory_snapshot",
        "torch.hpu.caching_allocator_alloc",
        "torch.hpu.set_per_process_memory_fraction",
        "torch.hpu.reset_max_memory_allocated",
        "torch.hpu.graph_pool_handle",
        "torch.hpu.CUDAGraph",
        "torch.hpu.ExternalStream",
        "torch.hpu.Event.ipc_handle",
        "torch.hpu.Event.from_ipc_handle",
        "torch.hpu.Stream.cuda_stream",
        "torch.hpu.FloatTensor",
        "torch.hpu.default_generators",
        "torch.hpu.amp",
        "torch.hpu.nvtx",
        "torch.hpu.mark_step",
        "habana_frameworks.torch.hpu.empty_cache",
        "habana_frameworks.torch.core.synchronize",
    ],
)
def test_what_ports_invent(table: ApiTable, name: str) -> None:
    assert not table.has(name)
    assert table.missing([name]) == [name]


def test_names_of_others_are_not_its_business(table: ApiTable) -> None:
    others = ["torch.amp.autocast", "torch.hpuish", "habana_frameworks_of_ours.x", "math.pi"]
    assert table.missing(others) == []


@pytest.mark.parametrize(
    ("name", "signature"),
    [
        ("torch.hpu.Stream", "(device=None, priority=0, **kwargs)"),
        ("torch.hpu.Event", "(enable_timing=False)"),
        ("torch.hpu.synchronize", "()"),
        ("torch.hpu.is_bf16_supported", "()"),
        ("torch.hpu.memory_summary", "(device=None)"),
        ("torch.hpu.set_rng_state", "(new_state, device='hpu')"),
        ("torch.hpu.graph", "(hpu_graph, stream=None, dry_run=False)"),
        ("habana_frameworks.torch.core.mark_step", "(device_str='', sync=False)"),
    ],
)
def test_signatures_that_differ_from_cuda(table: ApiTable, name: str, signature: str) -> None:
    assert table.signatures[name] == signature


def test_every_signature_is_python(table: ApiTable) -> None:
    for name, signature in table.signatures.items():
        if signature not in KINDS:
            ast.parse(f"def f{signature}: ...", filename=name)


def test_every_name_hangs_on_a_module_or_a_class(table: ApiTable) -> None:
    """Nothing is listed below a name that the table lacks, or below one that has no members."""
    roots = {"torch", "habana_frameworks"}
    package_only = {
        "habana_frameworks.torch.hpex.experimental",
        "habana_frameworks.torch.internal",
    }
    for name in table.signatures:
        owner = name.rpartition(".")[0]
        if owner and owner not in roots | package_only:
            assert table.signatures.get(owner, "attribute") != "attribute", name


def test_lazy_only_names_are_names(table: ApiTable) -> None:
    assert table.lazy_only
    assert table.lazy_only <= set(table.signatures)


def test_graphs_are_lazy_only_by_both_their_names(table: ApiTable) -> None:
    for package in ("torch.hpu", "habana_frameworks.torch.hpu"):
        assert {
            f"{package}.{name}" for name in ("HPUGraph", "graph", "is_current_stream_capturing")
        } <= table.lazy_only
    assert "torch.hpu.Stream" not in table.lazy_only


def test_the_package_has_what_its_alias_has(table: ApiTable) -> None:
    """``torch.hpu`` is the module ``habana_frameworks.torch.hpu`` under another name."""
    alias = {
        name.removeprefix("torch.hpu."): signature
        for name, signature in table.signatures.items()
        if name.startswith("torch.hpu.") and name.count(".") == 2
    }
    package = {name: table.signatures.get(f"habana_frameworks.torch.hpu.{name}") for name in alias}
    assert package == alias
