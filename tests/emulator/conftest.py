"""A device is for the whole process, so code that uses it runs in processes of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import dedent

import pytest

_WARM = Path(__file__).with_name("warm.py")


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The last line of a traceback."""
        return (self.err.strip().splitlines() or [""])[-1]


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
    started: list[subprocess.Popen[str]] = []

    @cache
    def interpreter(lazy: bool, bridge: bool) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, _WARM, *(["bridge"] if bridge else [])],
            env={**os.environ, "PT_HPU_LAZY_MODE": str(int(lazy))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    def run(code: str, *, lazy: bool = True, bridge: bool = True) -> Done:
        process = interpreter(lazy, bridge)
        assert process.stdin is not None and process.stdout is not None
        print(json.dumps(dedent(code)), file=process.stdin, flush=True)
        return Done(*json.loads(process.stdout.readline()))

    yield run
    for process in started:
        process.communicate("")
