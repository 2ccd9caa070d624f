"""Graphs, waits, copies and memory, counted."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

torch = pytest.importorskip("torch", reason="the emulator's tests need torch")

from porter import emulator  # noqa: E402
from porter.emulator.recording import Recording, record  # noqa: E402

pytestmark = pytest.mark.usefixtures("device")


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    torch.hpu.synchronize()
    emulator.forget()
    yield
    torch.hpu.synchronize()
    emulator.forget()


def mark_step() -> None:
    import habana_frameworks.torch.core as htcore  # noqa: PLC0415

    htcore.mark_step()


def launch(size: int, offset: int = 0, factor: float = 2.0) -> None:
    (torch.ones(size + offset, device="hpu")[offset:] * factor).sum()
    mark_step()


def test_a_graph_is_known_by_its_shapes() -> None:
    with record() as recording:
        for size in (4, 4, 5, 4):
            launch(size)
    assert (recording.launches, recording.graphs) == (4, 2)
    assert recording.flushes == {"mark_step": 4}


def test_offsets_and_numbers_belong_to_the_second_key_alone() -> None:
    x = torch.ones(8, device="hpu")
    torch.hpu.synchronize()
    with record() as recording:
        for offset, factor in ((0, 2.0), (1, 2.0), (0, 3.0)):
            x[offset : offset + 4] * factor
            mark_step()
    assert (recording.graphs, recording.graphs_with_offsets) == (1, 3)


def test_graphs_of_several_recordings_are_counted_by_their_keys() -> None:
    keys, with_offsets = set(), set()
    x = torch.ones(8, device="hpu")
    for size, factor in ((4, 2.0), (5, 2.0), (4, 3.0)):
        part = x[:size]
        with record() as recording:
            part * factor
        keys |= recording.graph_keys
        with_offsets |= recording.graph_keys_with_offsets
    assert (len(keys), len(with_offsets)) == (2, 3)


def test_operands_are_told_apart() -> None:
    a, b = torch.ones(4, device="hpu"), torch.ones(4, device="hpu")
    torch.hpu.synchronize()
    with record() as recording:
        for left, right in ((a, b), (a, a), (b, a)):
            left + right
            mark_step()
    assert recording.graphs == 2


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.int32])
def test_a_dtype_makes_another_graph(dtype: torch.dtype) -> None:
    with record() as recording:
        for kind in (torch.float32, dtype):
            torch.ones(4, device="hpu", dtype=kind) + 1
            mark_step()
    assert recording.graphs == 2


def test_what_cuts_a_graph() -> None:
    x = torch.ones(4, device="hpu")
    side = torch.hpu.Stream()
    torch.hpu.synchronize()
    with record() as recording:
        x + 1
        mark_step()
        (x + 1).cpu()
        (x.sum()).item()
        x + 1
        torch.hpu.Event().record()
        x + 1
        with torch.hpu.stream(side):
            pass
        torch.nonzero(x)
        x[x > 0]
        x + 1
        torch.hpu.synchronize()
        x + 1
    assert recording.flushes == {
        "mark_step": 1,
        "copy to host": 1,
        "item": 1,
        "event record": 1,
        "stream switch": 1,
        "aten::nonzero": 1,
        "aten::index.Tensor": 1,
        "synchronize": 1,
        "recording": 1,
    }
    assert recording.waits == {
        "copy to host": 1,
        "item": 1,
        "aten::nonzero": 1,
        "aten::index.Tensor": 1,
        "synchronize": 1,
    }


def test_views_and_copies_to_the_device_launch_nothing() -> None:
    with record() as recording:
        x = torch.ones(4, 4).to("hpu")
        x.view(16)[2:].unsqueeze(0).expand(3, -1)
    assert (recording.launches, recording.syncs) == (0, 0)


def test_copies_by_direction() -> None:
    x = torch.ones(4, 256)
    with record() as recording:
        y = x.to("hpu")
        torch.empty_like(y).copy_(y)
        y[1].cpu()
    assert {name: (c.count, c.bytes) for name, c in recording.copies.items()} == {
        "h2d": (1, 4096),
        "d2h": (1, 1024),
        "d2d": (1, 4096),
    }


def test_ops_by_name() -> None:
    with record() as recording:
        x = torch.ones(3, device="hpu")
        x + x + x
    assert recording.ops == {"aten::fill_.Scalar": 1, "aten::add.Tensor": 2}


def test_the_peak_is_that_of_the_recording() -> None:
    torch.ones(1 << 20, device="hpu")
    before = torch.hpu.memory_allocated()
    with record() as outer:
        with record() as inner:
            torch.empty(1 << 10, device="hpu")
        torch.empty(1 << 12, device="hpu")
    assert inner.peak_bytes == before + (4 << 10)
    assert outer.peak_bytes == before + (4 << 12)


def test_the_peak_of_a_program_is_left_alone() -> None:
    torch.hpu.reset_peak_memory_stats()
    torch.empty(1 << 12, device="hpu")
    peak = torch.hpu.max_memory_allocated()
    with record():
        torch.empty(8, device="hpu")
    assert torch.hpu.max_memory_allocated() == peak


def test_an_ended_recording_stays_as_it_is() -> None:
    with record() as recording:
        launch(4)
    torch.ones(4).to("hpu").cpu()
    assert (recording.launches, recording.syncs, recording.copies["d2h"].count) == (1, 0, 0)


def test_one_that_is_open_can_be_read() -> None:
    recording = Recording()
    launch(4)
    assert recording.launches == 1
    launch(4)
    assert recording.launches == 2
    recording.end()


def test_all_threads_are_counted() -> None:
    from threading import Thread  # noqa: PLC0415

    with record() as recording:
        threads = [Thread(target=launch, args=(size,)) for size in (4, 5, 4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert (recording.launches, recording.graphs) == (3, 2)


def test_reports_are_those_of_the_recording() -> None:
    def fault() -> None:
        with pytest.raises(RuntimeError):
            torch.ones(2, device="hpu") + torch.ones(2)

    fault()
    with record() as quiet:
        pass
    with record() as recording:
        fault()
    assert not quiet.reports
    assert [report.rule for report in recording.reports] == ["mixed-devices"]


def test_an_op_that_the_bridge_does_not_list_is_noted() -> None:
    with record() as recording:
        torch.ones(3, device="hpu").mode()
        torch.ones(3, device="hpu") + 1
    assert [(note.rule, note.op) for note in recording.notes] == [("cpu-fallback", "aten::mode")]


def test_a_dtype_that_no_card_has_is_noted() -> None:
    with record() as recording:
        torch.ones(3, device="hpu", dtype=torch.float64).neg()
    assert {note.rule for note in recording.notes} == {"cpu-fallback"}
    assert any("Double" in note.message for note in recording.notes)


def test_json() -> None:
    with record() as recording:
        launch(4)
        torch.ones(4).to("hpu").cpu()
    assert json.loads(json.dumps(recording.as_dict())) == {
        "reports": [],
        "notes": [],
        "graphs": {"distinct": 1, "distinct_with_offsets": 1},
        "launches": 1,
        "flushes": {"mark_step": 1},
        "syncs": 1,
        "waits": {"copy to host": 1},
        "copies": [
            {"direction": "h2d", "count": 1, "bytes": 16},
            {"direction": "d2h", "count": 1, "bytes": 16},
            {"direction": "d2d", "count": 0, "bytes": 0},
        ],
        "ops": {"aten::fill_.Scalar": 1, "aten::mul.Tensor": 1, "aten::sum.dim_IntList": 1},
        "peak_bytes": recording.peak_bytes,
    }


def test_eager_mode_launches_each_op(run) -> None:
    done = run(
        """
        import porter.emulator as emulator
        x = torch.ones(4, device="hpu")
        with emulator.record() as recording:
            x + 1
            x + 2
            x * 2
        print(recording.launches, recording.graphs, dict(recording.flushes))
        """,
        lazy=False,
    )
    assert done.out == "3 2 {'eager op': 3}\n", done.err
