"""Say what is wrong with an environment for vLLM and LMCache on Gaudi, and what cures it."""

from __future__ import annotations

from pathlib import Path

import click

from porter.cli._options import output_format
from porter.cli._output import print_json, print_text
from porter.doctor.examine import examine, patient_of, to_document, to_text


@click.command(epilog="\b\nExample:\n  porter doctor --python /opt/venv")
@click.option(
    "--python",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="An interpreter or a virtual environment; by default that of porter.",
)
@output_format
@click.pass_context
def command(ctx: click.Context, *, python: Path | None, style: str) -> None:
    """Look over an environment for Gaudi: its packages, and the variables that are set here.

    Offline, and nothing is changed. Drivers, firmware and the network are not looked at.
    Exit code 1 if anything was found.
    """
    findings = examine(patient_of(python))
    if style == "json":
        print_json(to_document(findings))
    else:
        print_text(to_text(findings))
    ctx.exit(1 if findings else 0)
