"""A device is for the whole process, so code that uses it runs in processes of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from textwrap import dedent

import pytest
from forking import Done, Server

_WARM = Path(__file__).with_name("warm.py")

Run = Callable[..., Done]


@pytest.fixture(scope="session")
def device() -> None:
    """The device and the bridge in this process, for as long as it lives."""
    from porter import emulator  # noqa: PLC0415

    emulator.install()
    import habana_frameworks.torch  # noqa: F401, PLC0415


@pytest.fixture(scope="session")
def run() -> Iterator[Run]:
    """Run Python code that has ``torch``, the device, and, with ``bridge``, its package.

    ``lazy`` picks the mode of the bridge. Each piece of code has a process of its own, a fork
    of one that has imported torch already.
    """
    pytest.importorskip("torch")
    started: list[Server] = []

    @cache
    def server(lazy: bool, bridge: bool) -> Server:
        arguments = ["bridge"] if bridge else []
        started.append(Server(_WARM, *arguments, PT_HPU_LAZY_MODE=str(int(lazy))))
        return started[-1]

    def run(code: str, *, lazy: bool = True, bridge: bool = True) -> Done:
        return server(lazy, bridge).do(dedent(code))

    yield run
    for process in started:
        process.close()
