"""The rulebook knows the whole public namespace of torch.cuda, name by name."""

from __future__ import annotations

import ast

import pytest

from porter.findings import Verdict
from porter.rulebook import Rulebook, default_rulebook

# What torch.cuda of PyTorch 2.9 lists as public, and its submodules.
PUBLIC = """
BFloat16Storage BFloat16Tensor BoolStorage BoolTensor ByteStorage ByteTensor CharStorage CharTensor
ComplexDoubleStorage ComplexFloatStorage DoubleStorage DoubleTensor FloatStorage FloatTensor
HalfStorage HalfTensor IntStorage IntTensor LongStorage LongTensor ShortStorage ShortTensor
CUDAGraph CUDAPluggableAllocator CudaError DeferredCudaCallError Event ExternalStream MemPool
OutOfMemoryError Stream StreamContext amp caching_allocator_alloc caching_allocator_delete
caching_allocator_enable can_device_access_peer change_current_allocator check_error clock_rate comm
cudaStatus cudart current_blas_handle current_device current_stream default_generators
default_stream device device_count device_memory_used device_of empty_cache gds
get_allocator_backend get_arch_list get_device_capability get_device_name get_device_properties
get_gencode_flags get_per_process_memory_fraction get_rng_state get_rng_state_all
get_stream_from_external get_sync_debug_mode graph graph_pool_handle graphs has_half has_magma
host_memory_stats host_memory_stats_as_nested_dict init initial_seed ipc_collect is_available
is_bf16_supported is_current_stream_capturing is_initialized is_tf32_supported jiterator
list_gpu_processes make_graphed_callables manual_seed manual_seed_all max_memory_allocated
max_memory_cached max_memory_reserved mem_get_info memory memory_allocated memory_cached
memory_reserved memory_snapshot memory_stats memory_stats_as_nested_dict memory_summary memory_usage
nccl nvtx power_draw profiler random reset_accumulated_host_memory_stats
reset_accumulated_memory_stats reset_max_memory_allocated reset_max_memory_cached
reset_peak_host_memory_stats reset_peak_memory_stats seed seed_all set_device
set_per_process_memory_fraction set_rng_state set_rng_state_all set_stream set_sync_debug_mode
sparse stream streams synchronize temperature tunable use_mem_pool utilization
"""

# Names that torch.cuda takes from a submodule, where code may take them too.
SUBMODULES = {
    "memory": "empty_cache mem_get_info memory_allocated memory_stats MemPool list_gpu_processes",
    "random": "manual_seed manual_seed_all seed seed_all get_rng_state set_rng_state",
    "streams": "Stream Event ExternalStream",
    "graphs": "CUDAGraph graph graph_pool_handle make_graphed_callables",
}

FOREIGN = """
numpy cuda numba numba.njit vllm vllm.config vllm.attention.backends.abstract apexlib tritonclient
torch.amp.autocast torch.nn.Module torch.hpu.Stream torch.version.hip torch.distributed.ReduceOp.SUM
torch.cuda.a_name_that_no_release_has torch.profiler.ProfilerActivity.CPU torch.backends.mkldnn
habana_frameworks.torch
"""


@pytest.fixture(scope="module")
def book() -> Rulebook:
    return default_rulebook()


@pytest.mark.parametrize("name", PUBLIC.split())
def test_has_a_rule_of_its_own(book: Rulebook, name: str) -> None:
    assert book.lookup(f"torch.cuda.{name}") is not None


@pytest.mark.parametrize(
    ("module", "name"),
    [(module, name) for module, names in SUBMODULES.items() for name in names.split()],
)
def test_is_the_same_by_way_of_its_submodule(book: Rulebook, module: str, name: str) -> None:
    assert book.lookup(f"torch.cuda.{module}.{name}") is book.lookup(f"torch.cuda.{name}")


@pytest.mark.parametrize("name", FOREIGN.split())
def test_what_is_not_of_cuda_has_no_rule(book: Rulebook, name: str) -> None:
    assert book.lookup(name) is None


def test_unsupported_means_no_replacement(book: Rulebook) -> None:
    wrong = [
        rule.id
        for rule in book
        if rule.verdict is Verdict.UNSUPPORTED and (rule.replacement or rule.remove)
    ]
    assert wrong == []


def test_no_replacement_needs_lazy_mode(book: Rulebook) -> None:
    """Emitted code must be right in eager mode too."""
    wrong = [rule.id for rule in book if rule.replacement in book.api.lazy_only]
    assert wrong == []


def test_no_argument_survives_that_the_hpu_lacks(book: Rulebook) -> None:
    """The signatures of the API table tell what a renamed call may still give."""
    for rule in book:
        arguments = rule.arguments
        signature = book.api.signatures.get(rule.replacement or "")
        if signature is None or not arguments.parameters or arguments.drop_all:
            continue
        (function,) = ast.parse(f"def f{signature}: ...").body
        assert isinstance(function, ast.FunctionDef)
        known = {parameter.arg for parameter in function.args.args}
        assert set(arguments.parameters) - {*arguments.drop, *arguments.refuse} <= known, rule.id
