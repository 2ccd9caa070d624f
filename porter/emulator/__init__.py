"""Gaudi's ``hpu`` device on host memory: PyTorch's own device type, with the kernels of the CPU.

``porter.emulator.build.load()`` builds the native half where the cache has none, loads it and
returns it. From then on ``torch.device("hpu")``, ``torch.Stream``, ``torch.Event``,
``torch.Generator``, ``torch.accelerator`` and ``torch.autocast`` know the device. The module:

``memory_stats() -> dict[str, int]``
    ``allocated``, ``peak`` and ``limit`` in bytes; ``allocations`` and ``frees`` as counts.
    Bytes are those that were asked for: nothing is rounded or pooled.
``reset_peak_memory() -> None``
    ``peak`` starts again from ``allocated``.
``set_memory_limit(bytes: int) -> None``
    What goes beyond raises RuntimeError ("HPU out of memory …"). 96 GiB unless set.
``current_stream() -> int``, ``default_stream() -> int``, ``new_stream() -> int``
    Stream ids; the current one is the calling thread's.
``set_stream(stream_id: int) -> None``
    Makes it the calling thread's current stream.
``synchronize() -> None``
    Waits for the device.
``elapsed_ms(start_event_id: int, end_event_id: int) -> float``
    Between two recorded events, by ``torch.Event.event_id``; RuntimeError for one that was not
    recorded. ``torch.Event.elapsed_time`` does the same but refuses a subclass.
``default_generator() -> torch.Generator``
    The device's own; ``torch.manual_seed`` does not reach it unless told to.
``host_alias(tensor: torch.Tensor) -> torch.Tensor``
    A CPU tensor over the same memory as a tensor on hpu; it keeps that memory alive.
``set_index_policy(name: str) -> None``
    What an index out of range does, from now on: ``strict`` raises IndexError, ``lenient`` reads
    zeros and writes nothing. ValueError for another name.
``index_counts() -> dict[str, int]``
    So many indices were read or written leniently, by the name of the op.
"""

from porter.emulator.install import install as install
