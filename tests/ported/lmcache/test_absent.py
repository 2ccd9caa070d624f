"""hpu/absent: questions that have an answer on Gaudi, if only one."""

from __future__ import annotations


def test_nothing_is_promised(hpu):
    absent = hpu("absent")
    assert absent.get_gpu_pci_bus_id(0) is None
    assert not absent.batch_memcpy_supported()
    assert not any(map(absent.direct_copy_format_supported, hpu("layouts").EngineKVFormat))
    assert absent.pop_completed_phase_timings() == []
