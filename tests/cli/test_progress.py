"""The bar, seen from a pseudo-terminal: what a pipe gets is tested with the commands."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

CODE = """
import time
from porter.cli._progress import progress_bar
with progress_bar("Reading demo") as progress:
    for done in range(10):
        time.sleep({pause})
        progress and progress(done + 1, 10)
"""


def shown(pause: float, *, terminal: bool) -> bytes:
    """What arrives at standard error while ten things take ``pause`` seconds each."""
    reader, writer = pty.openpty() if terminal else os.pipe()
    command = [sys.executable, "-c", CODE.format(pause=pause)]
    with subprocess.Popen(command, stderr=writer, env={**os.environ, "TERM": "xterm"}) as process:
        os.close(writer)
        chunks = []
        try:
            while chunk := os.read(reader, 4096):
                chunks.append(chunk)
        except OSError:
            pass
        assert process.wait() == 0
    os.close(reader)
    return b"".join(chunks)


@pytest.mark.parametrize(
    ("pause", "terminal", "expected"), [(0.15, True, True), (0, True, False), (0.15, False, False)]
)
def test_only_on_a_terminal_and_after_a_second(
    pause: float, terminal: bool, expected: bool
) -> None:
    output = shown(pause, terminal=terminal)
    assert (b"Reading demo" in output) is expected
    if not expected:
        assert output == b""
