"""Run a command on the emulated HPU, its child processes too."""

from __future__ import annotations

import os
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from porter.emulator.finder import refuse_real_bridge
from porter.emulator.install import emulated
from porter.emulator.sanitizer import RULES
from porter.emulator.settings import ASYNCHRONY, INDICES, Settings
from porter.emulator.summary import gather, text, to_json
from porter.errors import PorterError


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    epilog="\b\nExample:\n  porter emulate --report run.json -- python train.py --epochs 1",
)
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what ran, and what was found, to this file as JSON.",
)
@click.option(
    "--async",
    "asynchrony",
    type=click.Choice(ASYNCHRONY),
    default=ASYNCHRONY[0],
    show_default=True,
    help="Which non_blocking copies arrive late: all, those with pinned host memory, none.",
)
@click.option(
    "--indices",
    type=click.Choice(INDICES),
    default=INDICES[0],
    show_default=True,
    help="An index out of range raises, or reads zeros and writes nothing.",
)
@click.option("--ignore", multiple=True, metavar="RULE", help="Do not report this rule.")
@click.option("--lines", is_flag=True, help="Remember the line of every op: races name both sides.")
@click.argument("arguments", metavar="-- CMD...", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_context
def command(
    ctx: click.Context,
    *,
    report: Path | None,
    asynchrony: str,
    indices: str,
    ignore: tuple[str, ...],
    lines: bool,
    arguments: tuple[str, ...],
) -> None:
    """Run CMD on the emulated HPU, and look for faults that a card would not forgive.

    Every Python process of CMD has the device "hpu" and the package habana_frameworks, where
    porter is installed beside its torch. The exit code is that of CMD, or 1 where CMD ended well
    and the sanitizer has something to report. It runs on the CPU: nothing is proven about speed,
    or about the numbers of a card.
    """
    if find_spec("torch") is None:
        raise PorterError("the emulated device needs torch; pip install 'porter[emulator]'")
    _check_rules(ignore)
    if report and not report.absolute().parent.is_dir():
        raise PorterError(f"{report.parent}: no such folder to write --report into")
    refuse_real_bridge()
    with TemporaryDirectory(prefix="porter-") as journals:
        settings = Settings(
            asynchrony=asynchrony,
            indices=indices,
            ignore=frozenset(ignore),
            lines=lines,
            journals=Path(journals),
        )
        code = _run(arguments, emulated(os.environ, settings))
        summary = gather(Path(journals))
    if report:
        to_json(summary, report)
    if said := text(summary, counts=report is not None):
        click.echo(said, err=True)
    ctx.exit(code or int(bool(summary["reports"])))


def _check_rules(ignore: tuple[str, ...]) -> None:
    for rule in ignore:
        if rule not in RULES:
            raise PorterError(f"--ignore {rule}: no such rule; they are {', '.join(RULES)}")


def _run(arguments: tuple[str, ...], environment: dict[str, str]) -> int:
    """The exit code as a shell gives it; an interrupt is left to the child, which has it too."""
    try:
        child = subprocess.Popen(arguments, env=environment)
    except FileNotFoundError as error:
        raise PorterError(f"{arguments[0]}: no such command") from error
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        code = child.wait()
    finally:
        signal.signal(signal.SIGINT, previous)
    return 128 - code if code < 0 else code
