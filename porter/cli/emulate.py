"""Run a command on the emulated HPU, its child processes too."""

from __future__ import annotations

import os
import signal
import subprocess
from importlib.util import find_spec

import click

from porter.emulator.finder import refuse_real_bridge
from porter.emulator.install import emulated
from porter.errors import PorterError


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    epilog="\b\nExample:\n  porter emulate -- python train.py --epochs 1",
)
@click.argument("arguments", metavar="-- CMD...", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_context
def command(ctx: click.Context, *, arguments: tuple[str, ...]) -> None:
    """Run CMD on the emulated HPU.

    Every Python process of CMD has the device "hpu" and the package habana_frameworks, where
    porter is installed beside its torch. The exit code is that of CMD. It runs on the CPU:
    nothing is proven about speed, or about the numbers of a card.
    """
    if find_spec("torch") is None:
        raise PorterError("the emulated device needs torch; pip install 'porter[emulator]'")
    refuse_real_bridge()
    try:
        child = subprocess.Popen(arguments, env=emulated(os.environ))
    except FileNotFoundError as error:
        raise PorterError(f"{arguments[0]}: no such command") from error
    ctx.exit(_wait(child))


def _wait(child: subprocess.Popen[bytes]) -> int:
    """The exit code as a shell gives it; an interrupt is left to the child, which has it too."""
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        code = child.wait()
    finally:
        signal.signal(signal.SIGINT, previous)
    return 128 - code if code < 0 else code
