"""What upstream asks about that Gaudi, or this port, does not have."""

from __future__ import annotations

from lmcache.hpu.layouts import EngineKVFormat


def get_gpu_pci_bus_id(device_id: int = 0) -> None:
    """The PCI address of a device: torch does not tell Gaudi's, so no NUMA node is guessed."""


def batch_memcpy_supported() -> bool:
    """Whether the driver copies many ranges by one call."""
    return False


def direct_copy_format_supported(engine_kv_format: EngineKVFormat) -> bool:
    """Whether caches of this layout can be copied by address, without a staging buffer."""
    return False


def pop_completed_phase_timings() -> list[object]:
    """How long the phases of transfers by address took: there are none."""
    return []
