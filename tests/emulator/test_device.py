"""The emulated device against the CPU: same results, its own memory, its own errors."""

from __future__ import annotations

import copy
import io
import pickle
import threading
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the emulator's tests need torch")

nn = torch.nn
functional = torch.nn.functional

KIB = 1024


@pytest.fixture(scope="module", autouse=True)
def native() -> ModuleType:
    from porter.emulator import install  # noqa: PLC0415
    from porter.emulator.build import load  # noqa: PLC0415

    install()
    import habana_frameworks.torch  # noqa: F401, PLC0415

    return load()


@pytest.fixture(autouse=True)
def seeded(native: ModuleType) -> None:
    torch.manual_seed(3)
    native.default_generator().manual_seed(3)


@pytest.fixture
def limited(native: ModuleType) -> Iterator[Callable[[int], None]]:
    """Limits memory to so many bytes above what is in use."""
    before = native.memory_stats()["limit"]
    yield lambda spare: native.set_memory_limit(native.memory_stats()["allocated"] + spare)
    native.set_memory_limit(before)


def assert_equal(on_hpu: Any, on_cpu: Any) -> None:
    """Bit for bit, and on the device."""
    assert on_hpu.device.type == "hpu"
    assert on_hpu.dtype == on_cpu.dtype
    assert on_hpu.stride() == on_cpu.stride()
    assert torch.equal(on_hpu.cpu(), on_cpu)


def both(run: Callable[[str], Any]) -> None:
    assert_equal(run("hpu"), run("cpu"))


def on(device: str, *shape: int, **options: Any) -> Any:
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randn(*shape, generator=generator, **options).to(device)


OPS = {
    "arithmetic": lambda x: (x * 2 - x / 3 + 1).abs().sqrt(),
    "matmul": lambda x: x @ x.mT,
    "reductions": lambda x: torch.stack([x.sum(), x.amax(), x.std(), x.norm()]),
    "sort": lambda x: x.sort(dim=-1).indices,
    "topk": lambda x: torch.topk(x, 3).values,
    "softmax": lambda x: x.softmax(-1),
    "layer_norm": lambda x: functional.layer_norm(x, x.shape[-1:]),
    "cumsum": lambda x: x.cumsum(-1),
    "masked": lambda x: x[x > 0],
    "masked_fill": lambda x: x.masked_fill(x > 0, -1),
    "where": lambda x: torch.where(x > 0, x, -x),
    "cat": lambda x: torch.cat([x, x[:1]], 0),
    "einsum": lambda x: torch.einsum("ij,kj->ik", x, x),
    "index": lambda x: x[[0, 2]],
    "index on the CPU": lambda x: x[torch.tensor([0, 2])],
    "index_select": lambda x: x.index_select(1, torch.tensor([1, 0], device=x.device)),
    "index_add": lambda x: x.index_add(0, torch.tensor([1, 0], device=x.device), x[:2]),
    "index_put": lambda x: x.clone().index_put_((torch.tensor([1]),), x[0]),
    "scatter": lambda x: x.scatter(0, torch.zeros(1, 4, dtype=torch.long, device=x.device), 5.0),
    "gather": lambda x: x.gather(0, torch.zeros(1, 4, dtype=torch.long, device=x.device)),
    "views": lambda x: x.t()[1:, ::2].unsqueeze(0).expand(2, -1, -1),
    "unfold": lambda x: x.unfold(1, 2, 2),
    "as_strided": lambda x: x.as_strided((2, 2), (1, 2), 1),
    "reshape": lambda x: x.t().reshape(2, -1),
    "in place": lambda x: x.clone().mul_(2).t_().add_(1),
    "out, resized": lambda x: torch.add(x, x, out=torch.empty(0, device=x.device)),
    "resize_": lambda x: x.clone().resize_(2, 2),
    "complex": lambda x: torch.fft.rfft(x).conj().imag.contiguous(),
    "conjugate copied": lambda x: torch.complex(x, x).conj().clone(),
    "negated view": lambda x: torch.complex(x, x).conj().imag,
    "bfloat16": lambda x: x.bfloat16() @ x.bfloat16().mT,
    "integers": lambda x: (x * 100).long() // 7,
    "linalg": torch.linalg.svdvals,
    "foreach": lambda x: torch._foreach_add([x, x], 1)[1],
    "dropout": lambda x: functional.dropout(x, 0.5),
    "randn": lambda x: torch.randn(5, device=x.device),
    "randperm": lambda x: torch.randperm(9, device=x.device),
    "multinomial": lambda x: torch.multinomial(x.abs(), 2),
}


@pytest.mark.parametrize("name", OPS)
def test_op(name):
    both(lambda device: OPS[name](on(device, 4, 4)))


def test_a_view_shares_memory_and_keeps_it():
    base = on("hpu", 4, 4)
    view = base[1:]
    address = base.data_ptr()
    base[1].zero_()
    del base
    assert view.data_ptr() == address + 16
    assert view[0].tolist() == [0] * 4


def test_copies_between_host_and_device():
    host = on("cpu", 6, 5).t()
    there = torch.empty(5, 6, device="hpu")
    there.copy_(host, non_blocking=True)
    assert_equal(there, host.contiguous())
    back = torch.empty(6, 5).t()
    back.copy_(there)
    assert torch.equal(back, host)
    assert there.to("cpu", torch.float64).dtype == torch.float64
    assert torch.full((), 2**40 + 5, device="hpu").item() == 2**40 + 5


def test_a_real_address(native):
    tensor = torch.arange(4, device="hpu")
    alias = native.host_alias(tensor)
    alias += 1
    assert alias.data_ptr() == tensor.data_ptr()
    assert alias.device.type == "cpu"
    assert tensor.tolist() == [1, 2, 3, 4]
    with pytest.raises(RuntimeError, match="not on hpu but on cpu"):
        native.host_alias(torch.ones(1))


def train(module: Any, inputs: Any, device: str, steps: int = 3) -> Any:
    """All parameters after some steps of AdamW, as one tensor."""
    module = copy.deepcopy(module).to(device)
    optimizer = torch.optim.AdamW(module.parameters(), lr=0.1)
    for _ in range(steps):
        result = module(inputs.to(device))
        result = result[0] if isinstance(result, tuple) else result
        result.square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()
    return torch.cat([parameter.detach().reshape(-1) for parameter in module.parameters()])


def both_train(module: Any, inputs: Any) -> None:
    both(lambda device: train(module, inputs, device))


def test_adamw_on_a_perceptron():
    both_train(nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 4)), on("cpu", 5, 8))


def test_transformer_encoder_layer():
    layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True)
    both_train(layer, on("cpu", 2, 5, 16))


# Without gradients torch has a fused path for this layer, on CPU and CUDA only.
def test_transformer_encoder_layer_without_gradients(monkeypatch):
    monkeypatch.setattr(torch.backends.mha, "_is_fastpath_enabled", False)
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True).eval()
    with torch.no_grad():
        both(lambda device: copy.deepcopy(layer).to(device)(on(device, 2, 5, 16)))


def test_convolutions_and_batch_norm():
    module = nn.Sequential(
        nn.Conv2d(3, 6, 3, groups=3), nn.BatchNorm2d(6), nn.ConvTranspose2d(6, 2, 3, bias=False)
    )
    both_train(module, on("cpu", 2, 3, 8, 8))


# On the CPU, and for no other device, torch multiplies the inputs of all steps at once.
def test_lstm():
    lstm, inputs = nn.LSTM(4, 6, num_layers=2), on("cpu", 5, 2, 4)
    on_hpu, on_cpu = (train(lstm, inputs, device) for device in ("hpu", "cpu"))
    assert on_hpu.device.type == "hpu"
    torch.testing.assert_close(on_hpu.cpu(), on_cpu)


@pytest.mark.parametrize(
    "options", [{}, {"is_causal": True}, {"is_causal": True, "enable_gqa": True}]
)
def test_sdpa(options):
    heads = 2 if "enable_gqa" in options else 4

    def attend(device: str) -> Any:
        query, keys = on(device, 1, 4, 5, 8).requires_grad_(), on(device, 1, heads, 5, 8)
        result = functional.scaled_dot_product_attention(query, keys, keys, **options)
        return torch.autograd.grad(result.sum(), query)[0]

    both(attend)


def test_embedding_and_cross_entropy():
    def loss(device: str) -> Any:
        torch.manual_seed(5)
        table = nn.Embedding(10, 4).to(device)
        rows = torch.tensor([1, 9, 1], device=device)
        functional.cross_entropy(table(rows), rows % 4).backward()
        return table.weight.grad

    both(loss)


def test_checkpointing():
    from torch.utils.checkpoint import checkpoint  # noqa: PLC0415

    def gradient(device: str) -> Any:
        x = on(device, 3, 3).requires_grad_()
        checkpoint(lambda y: (y @ y).sin(), x, use_reentrant=False).sum().backward()
        return x.grad

    both(gradient)


def test_forward_mode_gradients():
    both(lambda device: torch.func.jvp(torch.sin, (on(device, 3),), (on(device, 3),))[1])


def test_a_zero_without_memory_gets_some():
    zero = torch._efficientzerotensor(3, device="hpu")
    assert_equal(zero, torch.zeros(3))
    assert_equal(zero * 2 + 1, torch.ones(3))


def test_autocast():
    x, weight = on("hpu", 3, 4), on("hpu", 4, 4)
    with torch.autocast("hpu", dtype=torch.bfloat16):
        product = x @ weight
        assert product.dtype == torch.bfloat16
        assert product.softmax(-1).dtype == torch.float32
        assert torch.zeros(2, device="hpu").fill_(1).sum().item() == 2
    assert_equal(product, x.cpu().bfloat16() @ weight.cpu().bfloat16())


def test_inference_mode_and_vmap():
    with torch.inference_mode():
        both(lambda device: on(device, 3, 3) @ on(device, 3, 3))
    both(lambda device: torch.vmap(torch.dot)(on(device, 4, 3), on(device, 4, 3)))
    both(lambda device: torch.func.jacrev(torch.sin)(on(device, 3)))


def test_save_and_load():
    state = {"weight": on("hpu", 3, 2), "view": on("hpu", 4)[1:3]}
    file = io.BytesIO()
    torch.save(state, file)
    for location, device in ((None, "hpu"), ("cpu", "cpu"), ("hpu", "hpu")):
        file.seek(0)
        loaded = torch.load(file, map_location=location)
        assert loaded["weight"].device.type == device
        assert torch.equal(loaded["weight"].cpu(), state["weight"].cpu())
        assert torch.equal(loaded["view"].cpu(), state["view"].cpu())
    file = io.BytesIO()
    torch.save(torch.ones(2), file)
    file.seek(0)
    assert torch.load(file, map_location="hpu").device.type == "hpu"


def test_pickle_and_deepcopy():
    tensor = on("hpu", 3, 2)
    for twin in (pickle.loads(pickle.dumps(tensor)), copy.deepcopy(tensor)):
        assert_equal(twin, tensor.cpu())
        assert twin.data_ptr() != tensor.data_ptr()


def test_pinned_memory():
    pinned = torch.ones(4).pin_memory()
    assert pinned.is_pinned() and pinned[3:].is_pinned()
    assert torch.from_numpy(pinned.numpy()[3:]).is_pinned()
    assert torch.empty(2, pin_memory=True).is_pinned()
    assert not torch.ones(4).is_pinned()
    with pytest.raises(RuntimeError, match="pinned"):
        torch.zeros(2, device="hpu", pin_memory=True)


def test_a_loader_that_pins():
    dataset = torch.utils.data.TensorDataset(torch.arange(6.0))
    for workers in (0, 1):
        loader = torch.utils.data.DataLoader(
            dataset, batch_size=3, pin_memory=True, num_workers=workers
        )
        batches = [batch for (batch,) in loader]
        assert all(batch.is_pinned() for batch in batches)
        assert torch.cat([batch.to("hpu") for batch in batches]).tolist() == list(range(6))


def test_storages():
    tensor = torch.arange(4, dtype=torch.float32, device="hpu")
    other = torch.empty(0, device="hpu").set_(tensor.untyped_storage(), 1, (2,), (2,))
    assert other.tolist() == [1, 3]
    assert torch.empty(0, device="hpu").set_(tensor).data_ptr() == tensor.data_ptr()
    assert torch.ones(2, device="hpu").set_().numel() == 0
    tensor.untyped_storage().resize_(32)
    tensor.resize_(8)
    assert tensor.tolist()[:4] == [0, 1, 2, 3]


def test_generators(native):
    ours, cpu = torch.Generator("hpu").manual_seed(5), torch.Generator().manual_seed(5)
    assert_equal(
        torch.rand(3, device="hpu", generator=ours), torch.rand(3, device="cpu", generator=cpu)
    )
    state = ours.get_state()
    first = torch.rand(3, device="hpu", generator=ours)
    ours.set_state(state)
    assert_equal(torch.rand(3, device="hpu", generator=ours), first.cpu())
    assert native.default_generator().device.type == "hpu"


def test_streams_and_events(native):
    assert native.current_stream() == native.default_stream()
    stream = torch.Stream("hpu")
    assert stream.stream_id not in {native.default_stream(), native.new_stream()}
    with stream:
        assert native.current_stream() == stream.stream_id
        tensor = torch.ones(3, device="hpu")
        start, end = (torch.Event("hpu", enable_timing=True) for _ in range(2))
        start.record()
        tensor += 1
        end.record()
    assert native.current_stream() == native.default_stream()
    end.synchronize()
    end.wait()
    tensor.record_stream(stream)
    assert end.query() and stream.query()
    assert 0 < native.elapsed_ms(start.event_id, end.event_id) == start.elapsed_time(end) < 1e4
    with pytest.raises(RuntimeError, match="Both events must be recorded"):
        native.elapsed_ms(start.event_id, torch.Event("hpu").event_id)


def test_a_stream_is_current_in_its_thread_only(native):
    seen = []
    with torch.Stream("hpu"):
        thread = threading.Thread(target=lambda: seen.append(native.current_stream()))
        thread.start()
        thread.join()
    assert seen == [native.default_stream()]


def test_the_accelerator(native):
    assert torch.accelerator.current_accelerator() == torch.device("hpu")
    assert torch.accelerator.device_count() == 1
    assert torch.accelerator.current_device_index() == 0
    torch.accelerator.synchronize()
    native.synchronize()


def test_four_threads():
    expected = on("cpu", 16, 16)
    for _ in range(50):
        expected = (expected @ expected).tanh()
    results: list[Any] = []

    def work() -> None:
        x = on("hpu", 16, 16)
        for _ in range(50):
            x = (x @ x).tanh()
        results.append(x)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(results) == 4
    for result in results:
        assert_equal(result, expected)


def test_a_custom_op_without_a_kernel_for_the_device():
    @torch.library.custom_op("porter_test::twice", mutates_args=(), device_types="cpu")
    def twice(x: torch.Tensor) -> torch.Tensor:
        return x * 2

    both(lambda device: twice(on(device, 3)))


def growth(native: ModuleType, kept: list[Any], make: Callable[[], Any]) -> int:
    """By how many bytes memory grows when the result of ``make`` is kept."""
    before = native.memory_stats()["allocated"]
    kept.append(make())
    return native.memory_stats()["allocated"] - before


def test_memory_is_counted_to_the_byte(native):
    before, kept = native.memory_stats(), []
    assert growth(native, kept, lambda: torch.empty(1000, dtype=torch.uint8, device="hpu")) == 1000
    assert growth(native, kept, lambda: kept[0][10:].view(9, -1)) == 0
    assert growth(native, kept, lambda: kept[0] + 1) == 1000
    assert growth(native, kept, lambda: torch.add(*kept[::2], out=kept[0].new_empty(0))) == 1000
    assert growth(native, kept, lambda: kept[-1].resize_(1500)) == 500
    native.reset_peak_memory()
    kept.clear()
    after = native.memory_stats()
    assert after["allocated"] == before["allocated"]
    assert after["peak"] == before["allocated"] + 3500
    assert after["allocations"] - before["allocations"] == after["frees"] - before["frees"]
    native.reset_peak_memory()
    assert native.memory_stats()["peak"] == before["allocated"]


def test_a_host_alias_keeps_memory(native):
    kept: list[Any] = []
    assert growth(native, kept, lambda: torch.ones(64, device="hpu")) == 256
    assert growth(native, kept, lambda: native.host_alias(kept[0])) == 0
    before = native.memory_stats()["allocated"]
    del kept[0]
    assert native.memory_stats()["allocated"] == before
    assert kept.pop().sum() == 64
    assert native.memory_stats()["allocated"] == before - 256


def test_memory_ends(native, limited):
    kept = torch.ones(KIB, dtype=torch.uint8, device="hpu")
    limited(KIB + 8)
    with pytest.raises(RuntimeError, match=r"HPU out of memory: tried to allocate 1033 bytes"):
        torch.empty(KIB + 9, dtype=torch.uint8, device="hpu")
    with pytest.raises(RuntimeError, match=r"HPU out of memory"):
        kept.long()
    with pytest.raises(RuntimeError, match=r"HPU out of memory"):
        torch.cat([kept, kept])
    before = native.memory_stats()["allocated"]
    assert (kept + 1).sum().item() == 2 * KIB
    assert native.memory_stats()["allocated"] == before


MIXED = {
    "add": lambda hpu, cpu: hpu + cpu,
    "add, CPU first": lambda hpu, cpu: cpu + hpu,
    "matmul": lambda hpu, cpu: hpu @ cpu,
    "cat": lambda hpu, cpu: torch.cat([hpu, cpu]),
    "out": lambda hpu, cpu: torch.add(hpu, hpu, out=cpu),
    "in place on a number": lambda hpu, cpu: torch.zeros(()).add_(hpu.sum()),
    "layer norm": lambda hpu, cpu: functional.layer_norm(hpu, (3,), cpu[0], cpu[0]),
    "index_select": lambda hpu, cpu: hpu.index_select(0, torch.tensor([0])),
    "convolution": lambda hpu, cpu: functional.conv1d(hpu[None], cpu[None]),
    "convolution, CPU bias": lambda hpu, cpu: functional.conv1d(hpu[None], hpu[None], cpu[:1, 0]),
}


@pytest.mark.parametrize("name", MIXED)
def test_mixed_devices(name):
    with pytest.raises(RuntimeError, match=r"same device.*hpu:0 and cpu"):
        MIXED[name](on("hpu", 3, 3), on("cpu", 3, 3))


def test_a_storage_of_the_cpu_is_refused():
    with pytest.raises(RuntimeError, match="storage"):
        torch.empty(0, device="hpu").set_(torch.ones(2).untyped_storage())


def test_a_number_on_the_cpu_may_be_read():
    assert (torch.ones(2, device="hpu") * torch.tensor(3.0)).tolist() == [3, 3]


@pytest.mark.parametrize(
    "use",
    [
        lambda: torch.empty(2, device="hpu:1"),
        lambda: torch.ones(2).to("hpu:1"),
        lambda: torch.arange(2, device="hpu:1"),
        lambda: torch.Stream("hpu:1"),
        lambda: torch.Generator("hpu:1"),
        lambda: torch.accelerator.set_device_index(1),
    ],
    ids=["empty", "to", "arange", "Stream", "Generator", "set_device_index"],
)
def test_there_is_one_device(use):
    with pytest.raises(RuntimeError, match="hpu:1 does not exist"):
        use()


def test_only_dense_tensors():
    with pytest.raises(NotImplementedError, match="dense tensors only, not a Sparse result"):
        torch.ones(2, device="hpu").to_sparse()
