"""A pytest plugin for LMCache's own tests, after porter has rewritten them for hpu.

What porter's rules cannot say about them is here, each with the reason:

    KV caches      upstream's helper makes them as an engine for CUDA does; ours makes pairs of
                   keys and values, as vLLM's Gaudi plugin registers, of cheaper random numbers
    addresses      the tests pass operations the addresses of tensors; on Gaudi they take tensors,
                   so what ``data_ptr`` was asked of is looked up
    host memory    the tests draw 9 GB of pinned memory and use a part: memory that the kernel
                   gives when it is touched will do; upstream's conftest means the same
    cudart         memory that is not registered with CUDA can be copied to hpu, so registering it
                   does nothing
    libcudart      a machine may have it without a driver; 0.5.6's own operations would copy by it
    test_torch_ops gives its backends a device in a place where "cuda" could mean anything, so
                   porter reports it; "cuda_ops" are our operations, and their device is hpu
    lmc_ops        no module of any release: 0.3.9's test of the kernels is skipped without it
    benchmark      calls its function once, for no speed is measured here
    a skip         of 0.3.9's test of the buffer connector, whatever the device, "due to vllm
                   dependency": ours imports nothing of vLLM
    vLLM           is told that its platform is hpu: its layers then run in plain PyTorch, as they
                   do with the Gaudi plugin unless it has one of its own, and an engine makes them
                   on the device
"""

from __future__ import annotations

import mmap
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import wraps
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace
from typing import Any
from weakref import WeakValueDictionary

import pytest
import torch
from torch import Tensor

UTILS = "tests.v1.utils"
#: The operations that upstream gives addresses.
BY_ADDRESS = (
    "lmcache_memcpy_async",
    "multi_layer_block_kv_transfer",
    "multi_layer_kv_transfer",
    "multi_layer_kv_transfer_unilateral",
)


def pytest_load_initial_conftests() -> None:
    """Upstream's conftest imports LMCache, which looks for ``torch.hpu``; an engine has it then."""
    import habana_frameworks.torch  # noqa: F401, PLC0415

    pretend_benchmark()


def pytest_configure() -> None:
    """Before test modules are imported."""
    remember_addresses()
    take_addresses()
    lend_host_memory()
    pretend_cudart()
    hide_libcudart()
    tell_vllm()


def pytest_collection() -> None:
    """After conftest modules are imported: test modules take names out of their helpers."""
    make_pairs(import_module(UTILS))


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    """Around the import of a test module."""
    if collector.name.endswith("test_torch_ops.py"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(torch.cuda, "is_available", torch.hpu.is_available)
            patch.setattr(pytest, "param", _on_hpu(pytest.param))
            patch.setitem(sys.modules, "lmcache.cuda_ops", import_module("lmcache.hpu.ops"))
            yield
    else:
        yield


def _on_hpu(param: Callable[..., Any]) -> Callable[..., Any]:
    def moved(backend: tuple[Any, ...], **named: Any) -> Any:
        return param(tuple("hpu" if value == "cuda" else value for value in backend), **named)

    return moved


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.own_markers = [mark for mark in item.own_markers if not needs_vllm(mark)]


def needs_vllm(mark: pytest.Mark) -> bool:
    return mark.name == "skip" and mark.kwargs.get("reason", "").endswith("due to vllm dependency")


def pytest_runtest_teardown() -> None:
    _pairs.clear()


# Addresses.

_tensors: WeakValueDictionary[int, Tensor] = WeakValueDictionary()
_pairs: dict[int, Pair] = {}
_data_ptr = Tensor.data_ptr


def remember_addresses() -> None:
    def data_ptr(tensor: Tensor) -> int:
        address: int = _data_ptr(tensor)
        _tensors[address] = tensor
        return address

    Tensor.data_ptr = data_ptr


def take_addresses() -> None:
    ops = import_module("lmcache.hpu.ops")
    for name in BY_ADDRESS:
        setattr(ops, name, _with_tensors(getattr(ops, name)))
    sys.modules["lmc_ops"] = ops


def _with_tensors(operation: Callable[..., object]) -> Callable[..., object]:
    """Its first two arguments may be addresses, or lists and tensors of addresses."""

    @wraps(operation)
    def call(first: Any, second: Any, *rest: Any, **named: Any) -> object:
        return operation(_resolved(first), _resolved(second), *rest, **named)

    return call


def _resolved(argument: Any) -> Any:
    if isinstance(argument, Tensor) and argument.dtype in (torch.int64, torch.uint64):
        return [_at(address) for address in argument.tolist()]
    if isinstance(argument, list) and argument and isinstance(argument[0], int):
        return [_at(address) for address in argument]
    return _at(argument) if isinstance(argument, int) else argument


def _at(address: int) -> Any:
    """The cache or the tensor at ``address``, or the rest of the bytes from there on."""
    if address in _pairs:
        return _pairs[address]
    if address in _tensors:
        return _tensors[address]
    for first, tensor in _tensors.items():
        if first < address < first + tensor.nbytes:
            return tensor.view(-1).view(torch.uint8)[address - first :]
    return address


# KV caches.


class Pair(tuple[Tensor, Tensor]):
    """Keys and values [NB, BS, NH, HS], with what vLLM's Gaudi plugin lets be asked of both."""

    @property
    def shape(self) -> torch.Size:
        return torch.Size([2, *self[0].shape])

    @property
    def dtype(self) -> torch.dtype:
        return self[0].dtype

    @property
    def device(self) -> torch.device:
        return self[0].device

    def data_ptr(self) -> int:
        address = _data_ptr(self[0])
        _pairs[address] = self
        return address


def make_pairs(utils: ModuleType) -> None:
    """Where a test asks for no layout, upstream's is one tensor a layer, [2, NB, BS, NH, HS]."""
    upstream = utils.generate_kv_cache_paged_list_tensors

    @wraps(upstream)
    def generate(*args: Any, **kwargs: Any) -> list[Any]:
        caches: list[Any] = upstream(*args, **kwargs)
        if "engine_kv_format" in kwargs:
            return caches
        return [_paired(cache) for cache in caches]

    utils.generate_kv_cache_paged_list_tensors = generate
    utils.torch = CheapRandom(torch)


def _paired(cache: Tensor) -> Tensor | Pair:
    if cache.dim() == 5 and cache.shape[0] == 2:
        return Pair(cache.unbind())
    return cache


class CheapRandom:
    """``torch``, but for random numbers that come again after a million and three.

    A cache of 10 GB, out of which a test does nothing but read, is one memory for all layers.
    """

    _period = 1_000_003  # prime: no two rows of a cache begin at the same number
    _large = 128_000_000  # numbers of a layer

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self._shared: WeakValueDictionary[tuple[Any, ...], Tensor] = WeakValueDictionary()
        self._drawn: dict[torch.dtype, Tensor] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)

    def rand(self, shape: Any, *, dtype: torch.dtype, device: Any) -> Tensor:
        size = torch.Size(shape).numel()
        key = (*shape, dtype, str(device))
        if key in self._shared:
            return self._shared[key]
        numbers = self._numbers(min(size, self._period), dtype).to(device)
        made = numbers.repeat(-(-size // len(numbers)))[:size].view(shape)
        if size > self._large:
            self._shared[key] = made
        return made

    def _numbers(self, count: int, dtype: torch.dtype) -> Tensor:
        if dtype not in self._drawn:
            self._drawn[dtype] = torch.rand(2 * self._period, dtype=dtype)
        first = int(torch.randint(self._period, ()))
        return self._drawn[dtype][first : first + count]


# What a machine with CUDA has, and what the tests ask for beside it.


def lend_host_memory() -> None:
    def lent(size: int) -> Tensor:
        return torch.frombuffer(mmap.mmap(-1, size), dtype=torch.uint8)

    def at_a_page(size: int) -> tuple[Tensor, int]:
        return (memory := lent(size)), _data_ptr(memory)

    import_module("lmcache.hpu.memory")._pinned = lent
    with suppress(ImportError):  # 0.5.6's own, for a device that it has no operations for
        module = import_module("lmcache.v1.platform.torch_ops.mem_alloc")
        module._alloc_page_aligned_pinned_view = at_a_page


def pretend_cudart() -> None:
    registry = SimpleNamespace(
        cudaHostRegister=lambda address, size, flags: 0, cudaHostUnregister=lambda address: 0
    )
    torch.cuda.cudart = lambda: registry


def hide_libcudart() -> None:
    with suppress(ImportError):
        import_module("lmcache.v1.platform.torch_ops._tensor_from_ptr")._copy_lib = None


def pretend_benchmark() -> None:
    """0.5.6's conftest skips benchmarks where it does not find the plugin."""
    with suppress(ImportError):
        import_module("pytest_benchmark")
        return
    module = ModuleType("pytest_benchmark")
    module.__spec__ = ModuleSpec(module.__name__, None)
    sys.modules[module.__name__] = module


@pytest.fixture
def benchmark() -> Iterator[Any]:
    def once(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    def pedantic(
        target: Callable[..., Any], args: Any = (), kwargs: Any = None, **_settings: Any
    ) -> Any:
        return target(*args, **(kwargs or {}))

    once.pedantic = pedantic  # type: ignore[attr-defined]
    yield once


def tell_vllm() -> None:
    try:
        from vllm import platforms  # noqa: PLC0415
        from vllm.platforms.interface import Platform, PlatformEnum  # noqa: PLC0415
    except ImportError:
        return
    names = {"_enum": PlatformEnum.OOT, "device_name": "hpu", "device_type": "hpu"}
    platforms._current_platform = type("Gaudi", (Platform,), names)()
    from vllm.model_executor.layers import rotary_embedding  # noqa: PLC0415

    torch.ops._C.rotary_embedding = rotary_embedding  # what 0.5.6's test of RoPE asks for
    get_rope = rotary_embedding.get_rope
    rotary_embedding.get_rope = lambda *args, **kwargs: get_rope(*args, **kwargs).to("hpu")
