"""A fork that does one job: what comes through the pipe, and that nothing of it stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from porter.validate.forks import Fork, send

FORKS = """
import os, sys, time
from porter.validate.forks import Fork, send

def job(pipe):
    send(pipe, str(os.getpid()).encode() + b"\\n")
    time.sleep(600)

fork = Fork.of(job)
print(os.read(fork.pipe, 99).decode(), end="", flush=True)
os._exit(0)
"""


def received(fork: Fork) -> bytes:
    chunks = iter(lambda: os.read(fork.pipe, 1 << 16), b"")
    return b"".join(chunks)


def is_alive(pid: int) -> bool:
    try:
        return "zombie" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def goes(pid: int) -> bool:
    """Killed processes take a moment; this one has a minute."""
    for _ in range(600):
        if not is_alive(pid):
            return True
        time.sleep(0.1)
    return False


def test_a_message_of_any_size() -> None:
    fork = Fork.of(lambda pipe: send(pipe, b"x" * 1_000_000))
    assert received(fork) == b"x" * 1_000_000
    assert fork.end() == 0


@pytest.mark.parametrize(
    ("job", "code"),
    [
        (lambda pipe: os._exit(3), 3),
        (lambda pipe: os.kill(os.getpid(), signal.SIGTERM), -signal.SIGTERM),
        (lambda pipe: 1 / 0, 0),
    ],
)
def test_however_it_ends(job, code: int) -> None:
    fork = Fork.of(job)
    assert received(fork) == b""
    assert fork.end() == code


def test_what_it_prints_is_not_seen(capfd: pytest.CaptureFixture[str]) -> None:
    fork = Fork.of(lambda pipe: os.write(1, b"noise") and os.write(2, b"noise"))
    received(fork)
    fork.end()
    assert capfd.readouterr() == ("", "")


def test_what_it_has_started_ends_with_it() -> None:
    def job(pipe: int) -> None:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        send(pipe, f"{child.pid}\n".encode())
        child.wait()

    fork = Fork.of(job)
    child = int(os.read(fork.pipe, 99))
    assert is_alive(child)
    assert fork.end() == -signal.SIGKILL
    assert goes(child)


def test_it_does_not_outlive_its_parent() -> None:
    run = subprocess.run(
        [sys.executable, "-c", FORKS], stdout=subprocess.PIPE, text=True, check=True, timeout=60
    )
    assert goes(int(run.stdout))
