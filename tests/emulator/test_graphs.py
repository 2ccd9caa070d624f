"""HPU graphs: capture, and replay on the same memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the emulator's tests need torch")

from porter import emulator  # noqa: E402

pytestmark = pytest.mark.usefixtures("device")
nn = torch.nn
Work = Callable[[Any], Any]


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    torch.hpu.synchronize()
    emulator.forget()
    yield
    torch.hpu.synchronize()
    assert not emulator.reports()


def captured(work: Work, x: Any) -> tuple[Any, Any]:
    graph = torch.hpu.HPUGraph()
    with torch.hpu.graph(graph):
        y = work(x)
    torch.hpu.synchronize()
    return graph, y


def in_place(x: Any) -> Any:
    x.add_(1)
    return x[1:].mul_(2)


def out(x: Any) -> Any:
    y = torch.empty_like(x)
    torch.add(x, 1, out=y)
    return y


def copies(x: Any) -> Any:
    y = torch.empty(x.shape, dtype=torch.bfloat16, device="hpu")
    y[::2].copy_(x[::2])
    y[1::2] = x[1::2] * 2
    return y


def lists(x: Any) -> Any:
    return torch.cat(torch.split(x * 2, 2)[::-1])


@pytest.fixture(scope="module")
def network() -> Any:
    layers = nn.Linear(4, 8), nn.GELU(), nn.LayerNorm(8), nn.Linear(8, 4), nn.Softmax(-1)
    return nn.Sequential(*layers).to("hpu").requires_grad_(False)


@pytest.fixture(scope="module")
def convolution() -> Any:
    return nn.Conv1d(4, 2, 3, padding=1).to("hpu").requires_grad_(False)


@pytest.mark.parametrize("work", [in_place, out, copies, lists, "network", "convolution"])
def test_a_replay_reads_what_its_inputs_hold_by_then(
    work: Work | str, request: pytest.FixtureRequest
) -> None:
    if isinstance(work, str):
        work = request.getfixturevalue(work)
    x = torch.zeros(4, 4, device="hpu")
    graph, y = captured(work, x)
    for _ in range(2):
        fresh = torch.randn(4, 4)
        wanted = work(fresh.to("hpu"))
        x.copy_(fresh)
        graph.replay()
        assert torch.equal(y, wanted)


def test_every_replay_is_the_same_graph() -> None:
    x = torch.zeros(4, device="hpu")
    graph, _ = captured(lambda x: (x + 1) * 2, x)
    with emulator.record() as recording:
        for _ in range(5):
            graph.replay()
    torch.hpu.synchronize()
    assert (recording.launches, recording.graphs) == (5, 1)
    assert recording.ops == {"aten::add.Tensor": 5, "aten::mul.Tensor": 5}


def test_inputs_by_position() -> None:
    x = torch.zeros(4, device="hpu")
    graph, y = captured(lambda x: x + 1, x)
    graph.replayV2([x], [torch.full((4,), 2.0, device="hpu")])
    assert y.tolist() == [3.0] * 4
    graph.mark_user_inputs([x])
    graph.replayV3([torch.full((4,), 5.0, device="hpu")])
    assert y.tolist() == [6.0] * 4


@pytest.mark.parametrize(
    ("name", "work"),
    [
        ("aten::nonzero", lambda x: x.nonzero()),
        ("a copy to the host", lambda x: x.cpu()),
        ("a copy to the host", lambda x: x.sum().item()),
    ],
)
def test_the_host_takes_no_part_in_a_graph(name: str, work: Work) -> None:
    x = torch.zeros(4, device="hpu")
    with pytest.raises(RuntimeError, match=f"{name} while a graph is captured"):
        captured(work, x)
    torch.hpu.synchronize()
    assert not torch.hpu.is_current_stream_capturing()


def test_what_makes_no_sense() -> None:
    graph = torch.hpu.HPUGraph()
    with pytest.raises(RuntimeError, match="needs a capture that has ended"):
        graph.replay()
    with pytest.raises(RuntimeError, match="captures no graph"):
        graph.capture_end()
    with torch.hpu.graph(graph), pytest.raises(RuntimeError, match="captures a graph already"):
        torch.hpu.HPUGraph().capture_begin()


def test_a_reset_frees_what_the_graph_held() -> None:
    before = torch.hpu.memory_allocated()
    x = torch.zeros(1024, device="hpu")
    graph, y = captured(lambda x: (x + 1) * 2, x)
    del x, y
    assert torch.hpu.memory_allocated() == before + 3 * 4096
    graph.reset()
    assert torch.hpu.memory_allocated() == before
