"""The shim against the table of what Gaudi's bridge has, and how it behaves."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import porter.emulator.finder
from porter.resources import rules_folder
from porter.toml import read_toml

pytest.importorskip("torch")

TABLE = read_toml(rules_folder() / "api" / "gaudi-1.19.toml")
SHIM = Path(porter.emulator.finder.__file__).parent / "shim"
MISSING = [name for entry in read_toml(SHIM / "missing.toml")["missing"] for name in entry["names"]]
LATER = {name: entry["signature"] for name, entry in read_toml(SHIM / "later.toml").items()}
NATIVE = {
    f"{top}torch.hpu.Stream.{name}"
    for top in ("", "habana_frameworks.")
    for name in ("query", "synchronize")
}


def look(lazy: bool) -> dict[str, Any]:
    run = subprocess.run(
        [sys.executable, Path(__file__).with_name("surface.py")],
        input=json.dumps(TABLE["names"]),
        env={**os.environ, "PT_HPU_LAZY_MODE": str(int(lazy))},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(run.stdout)


@pytest.fixture(scope="module")
def lazy() -> dict[str, Any]:
    return look(lazy=True)


@pytest.fixture(scope="module")
def eager() -> dict[str, Any]:
    return look(lazy=False)


def listed_as_missing(name: str) -> bool:
    alias = name.removeprefix("habana_frameworks.") if ".torch.hpu" in name else name
    return any(alias == entry or alias.startswith(f"{entry}.") for entry in MISSING)


def test_every_name_of_the_table_is_there_or_listed_with_a_reason(lazy: dict[str, Any]) -> None:
    absent = {name for name in TABLE["names"] if name not in lazy["surface"]}
    assert absent == {name for name in TABLE["names"] if listed_as_missing(name)}


def test_every_listed_name_is_one_of_the_table() -> None:
    for entry in MISSING:
        assert any(name == entry or name.startswith(f"{entry}.") for name in TABLE["names"]), entry


def test_what_the_table_has_not_the_shim_has_not(lazy: dict[str, Any]) -> None:
    names = set(TABLE["names"])
    hpu = "habana_frameworks.torch.hpu."
    # What hpu.streams and its like define, the table lists under hpu itself.
    names |= {
        f"{hpu}{module}.{name.removeprefix(hpu)}"
        for module in ("events", "graphs", "streams")
        for name in names
        if name.startswith(hpu)
    }
    assert [name for name in lazy["public"] if name not in names] == []


def test_signatures(lazy: dict[str, Any]) -> None:
    wrong = {
        name: found
        for name, found in lazy["surface"].items()
        if not same({**TABLE["names"], **LATER}[name], found)
        and not (found == "native" and name in NATIVE)
    }
    assert wrong == {}


def test_a_later_signature_only_adds_arguments_that_may_be_left_out() -> None:
    for name, signature in LATER.items():
        now, then = (arguments(text) for text in (signature, TABLE["names"][name]))
        assert now[: len(then)] == then and len(now) > len(then)
        assert all("=" in argument for argument in now[len(then) :])


def test_lazy_only_names_are_absent_in_eager_mode(eager: dict[str, Any]) -> None:
    absent = {name for name in TABLE["names"] if name not in eager["surface"]}
    assert absent == {
        name for name in TABLE["names"] if listed_as_missing(name) or name in TABLE["lazy_only"]
    } - {"torch.hpu.graphs", "habana_frameworks.torch.hpu.graphs"}


def same(expected: str, found: str) -> bool:
    if not expected.startswith("(") or not found.startswith("("):
        return expected == found
    return parameters(expected) == parameters(found)


def arguments(signature: str) -> list[str]:
    tree = ast.parse(f"def f{signature}: ...").body[0].args
    defaults = [None] * (len(tree.args) - len(tree.defaults)) + tree.defaults
    return [
        argument.arg + (f"={ast.unparse(default)}" if default else "")
        for argument, default in zip(tree.args, defaults, strict=True)
    ]


def parameters(signature: str) -> str:
    return ast.dump(ast.parse(f"def f{signature}: ...").body[0].args)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("torch.hpu.Event(blocking=True)", "TypeError"),
        ("torch.hpu.Event(interprocess=True)", "TypeError"),
        ("torch.hpu.synchronize('hpu')", "TypeError"),
        ("torch.hpu.is_bf16_supported(True)", "TypeError"),
        ("torch.hpu.empty_cache()", "AttributeError"),
        ("torch.hpu.OutOfMemoryError", "AttributeError"),
        ("torch.hpu.Stream().cuda_stream", "AttributeError"),
        ("torch.hpu.set_device(1)", "AssertionError"),
        ("torch.hpu.device(1)", "AssertionError"),
        ("torch.hpu.get_device_name('hpu:1')", "AssertionError"),
        ("torch.hpu.set_rng_state_all([1, 2])", "RuntimeError"),
        ("torch.hpu.get_rng_state('hpu:1')", "RuntimeError"),
        ("torch.hpu.metric_global('graphs')", "MetricNotFound"),
        ("torch.ones(1).hpu('cuda')", "ValueError"),
        ("torch.ones(1).hpu(1)", "AssertionError"),
    ],
)
def test_raises_what_gaudi_raises(run: Any, call: str, error: str) -> None:
    done = run(call)
    assert done.error.partition(":")[0].rpartition(".")[2] == error


def test_streams_and_events(run: Any) -> None:
    done = run("""
        side, start, end = torch.hpu.Stream(priority=-1), *(torch.hpu.Event(True) for _ in "ab")
        assert end.query() and end.synchronize() is None
        start.record()
        with torch.hpu.stream(side):
            assert torch.hpu.current_stream() == side != torch.hpu.default_stream()
            side.wait_stream(torch.hpu.default_stream())
            made = torch.ones(4, device="hpu") + 1
        assert torch.hpu.current_stream() == torch.hpu.default_stream()
        end.record(side)
        side.wait_event(torch.Event("hpu"))
        torch.hpu.current_stream().wait_event(side.record_event())
        made.record_stream(side)
        side.synchronize()
        assert side.query() and start.elapsed_time(end) >= 0
        assert isinstance(side, torch.Stream) and isinstance(end, torch.Event)
        assert torch.hpu.Stream().id() != side.id() == side.hpu_stream == side.stream_id
        with torch.hpu.stream(None):
            pass
    """)
    assert (done.code, done.err) == (0, "")


def test_the_current_stream_is_the_threads_own(run: Any) -> None:
    done = run("""
        import threading
        seen = []
        with torch.hpu.stream(torch.hpu.Stream()):
            thread = threading.Thread(target=lambda: seen.append(torch.hpu.current_stream().id()))
            thread.start(); thread.join()
        assert seen == [0]
    """)
    assert (done.code, done.err) == (0, "")


def test_memory_is_counted_by_the_bridges_keys(run: Any) -> None:
    done = run("""
        before = torch.hpu.memory_allocated()
        kept = torch.empty(1 << 20, device="hpu")
        assert torch.hpu.memory_allocated() - before == 4 << 20
        free, total = torch.hpu.mem_get_info()
        stats = torch.hpu.memory_stats()
        assert total == stats["Limit"] == torch.hpu.memory_reserved()
        assert free == total - stats["InUse"]
        del kept
        assert torch.hpu.memory_allocated() == before
        assert torch.hpu.max_memory_allocated() >= before + (4 << 20)
        torch.hpu.reset_peak_memory_stats()
        assert torch.hpu.max_memory_allocated() == before
        torch.hpu.reset_accumulated_memory_stats()
        assert torch.hpu.memory_stats()["NumAllocs"] == 0
    """)
    assert (done.code, done.err) == (0, "")


def test_what_the_bridge_adds_to_torch(run: Any) -> None:
    done = run("""
        cpu = torch.ones(2)
        moved = cpu.hpu(non_blocking=True)
        assert moved.is_hpu and not cpu.is_hpu and moved.device == torch.device("hpu", 0)
        assert next(torch.nn.Linear(1, 1).hpu().parameters()).is_hpu
        torch.manual_seed(5); first = torch.rand(3, device="hpu").cpu()
        torch.manual_seed(5); again = torch.rand(3, device="hpu").cpu()
        assert torch.equal(first, again)
        state = torch.hpu.get_rng_state()
        third = torch.rand(3, device="hpu").cpu()
        torch.hpu.set_rng_state(state)
        assert torch.equal(third, torch.rand(3, device="hpu").cpu())
        with torch.autocast("hpu", dtype=torch.bfloat16):
            assert torch.hpu.is_autocast_hpu_enabled()
        import torch.hpu.streams
        assert torch.hpu.streams.Stream is torch.hpu.Stream
    """)
    assert (done.code, done.err) == (0, "")


def test_mark_step_runs_the_closures_in_lazy_mode_only(run: Any) -> None:
    code = """
        import habana_frameworks.torch.core as htcore
        seen = []
        htcore.add_step_closure(seen.append, (1,))
        assert seen == []
        htcore.mark_step(); htcore.mark_step("", sync=True); htcore.iter_mark_step()
        print(seen)
    """
    assert run(code).out == "[1]\n"
    eager = run(code, lazy=False)
    assert eager.out == "[]\n"
    assert eager.err.count("mark_step does nothing outside lazy mode") == 2  # iter_ too


def test_torch_hpu_comes_with_the_bridge_or_by_itself_in_eager_mode(run: Any) -> None:
    code = "print(hasattr(torch, 'hpu'))"
    assert run(code, bridge=False).out == "False\n"
    assert run(code, bridge=False, lazy=False).out == "True\n"


def test_a_wrapped_module_computes_the_same(run: Any) -> None:
    done = run("""
        module = torch.nn.Linear(3, 2).hpu()
        data = torch.ones(1, 3, device="hpu")
        plain = module(data)
        wrapped = torch.hpu.wrap_in_hpu_graph(module)
        assert torch.equal(wrapped(data, bypass_hpu_graphs=True).cpu(), plain.cpu())
    """)
    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize("lazy", [True, False])
def test_the_compiler_backend_is_there_when_the_compiler_is(run: Any, lazy: bool) -> None:
    code = """
        import sys
        print("torch._dynamo" in sys.modules)
        compiled = torch.compile(lambda x: x * 2 + 1, backend="hpu_backend")
        print(compiled(torch.ones(2, device="hpu")).tolist())
    """
    assert run(code, lazy=lazy).out == "False\n[3.0, 3.0]\n"


def test_the_compiler_backend_where_the_compiler_came_first() -> None:
    run = subprocess.run(
        [
            sys.executable,
            "-c",
            "import porter.emulator; porter.emulator.install()\n"
            "import torch, torch._dynamo, habana_frameworks.torch\n"
            "print('hpu_backend' in torch._dynamo.list_backends())",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == "True\n"


def test_flags_of_the_backend(run: Any) -> None:
    done = run("""
        import habana_frameworks.torch.internal.bridge_config as flags
        assert flags.get_pt_compile_only_mode() is False
        with flags.env_setting("PT_COMPILE_ONLY_MODE", True):
            assert flags.get_pt_compile_only_mode() is True
        assert flags.get_pt_compile_only_mode() is False
        try:
            with flags.env_setting("PT_NO_SUCH_FLAG", True):
                pass
        except KeyError as error:
            print("no", error)
    """)
    assert (done.code, done.out) == (0, "no 'get_pt_no_such_flag'\n")


def test_the_bridge_lends_its_torch(run: Any) -> None:
    done = run("from habana_frameworks.torch import torch as lent; assert lent is torch")
    assert (done.code, done.err) == (0, "")


def test_a_graph_is_compiled_once(run: Any) -> None:
    done = run("""
        def launches(*sizes):
            for size in sizes:
                torch.ones(size, device="hpu").add_(1)
                torch.hpu.synchronize()
        counted = []
        for sizes in ((3, 3, 4), (3, 4), (5,)):
            with torch.hpu.metric_localcontext("graph_compilation") as metric:
                launches(*sizes)
            counted.append(metric.stats()[0])
        print(counted, torch.hpu.metric_global("graph_compilation").stats()[0])
    """)
    counts = [("TotalNumber", count) for count in (2, 0, 1)]
    assert done.out == f"{counts} ('TotalNumber', 3)\n", done.err


def test_fallbacks_are_counted(run: Any) -> None:
    done = run("""
        x = torch.ones(4, device="hpu")
        x.mode()
        with torch.hpu.metric_localcontext("cpu_fallback") as metric:
            x.mode(), x.mode(), x + x
        print(metric.stats())
    """)
    assert done.out == "[('TotalNumber', 2), ('FallbackOps', [('aten::mode', 2)])]\n", done.err


def test_a_dump_of_all_metrics(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "metrics.json"
    done = run(f"torch.hpu.metrics_dump({str(file)!r})")
    assert done.code == 0, done.err
    assert json.loads(file.read_text())["memory_defragmentation"]["TotalNumber"] == 0


def test_fused_kernels_are_their_formula(run: Any) -> None:
    done = run("""
        from habana_frameworks.torch.hpex.kernels import FusedSDPA, RotaryPosEmbeddingMode
        from habana_frameworks.torch.hpex.kernels import apply_rotary_pos_emb
        from habana_frameworks.torch.hpex.normalization import FusedRMSNorm
        q, k = torch.randn(1, 4, 5, 8), torch.randn(1, 2, 5, 8)
        sdpa = torch.nn.functional.scaled_dot_product_attention
        want = sdpa(q, k, k, is_causal=True, enable_gqa=True)
        got = FusedSDPA.apply(q.hpu(), k.hpu(), k.hpu(), None, 0.0, True)
        assert torch.allclose(got.cpu(), want)
        x, gamma = torch.randn(3, 8), torch.randn(8)
        want = x / (x.pow(2).mean(-1, keepdim=True) + 1e-5).sqrt() * gamma
        assert torch.allclose(FusedRMSNorm.apply(x.hpu(), gamma.hpu(), 1e-5).cpu(), want)
        angle = torch.tensor(0.3)
        pair = torch.tensor([[1.0, 2.0]])
        turned = torch.tensor([[angle.cos() - 2 * angle.sin(), angle.sin() + 2 * angle.cos()]])
        for mode in RotaryPosEmbeddingMode:
            out = apply_rotary_pos_emb(pair, angle.cos(), angle.sin(), None, 0, mode)
            assert torch.allclose(out, turned)
    """)
    assert (done.code, done.err) == (0, "")


def test_an_address_is_asked_of_the_host_view(run: Any) -> None:
    """vLLM's plugin puts _data_ptr in the place of Tensor.data_ptr."""
    done = run("""
        from habana_frameworks.torch.utils.experimental import _data_ptr
        x = torch.ones(4, device="hpu")
        address = x.data_ptr()
        torch.Tensor.data_ptr = _data_ptr
        assert x[1:].data_ptr() == address + 4
    """)
    assert (done.code, done.err) == (0, "")
