"""The command line. Each module here is a command; only the one that is called is imported.

A module ``name.py`` holds the click command ``command``; the first line of its
docstring is what ``porter --help`` says about it.
"""

from __future__ import annotations

import ast
import traceback
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from porter import __version__
from porter.errors import PorterError

_FOLDER = Path(__file__).parent


class _BadInput(click.ClickException):
    exit_code = 2

    def show(self, file: Any = None) -> None:
        click.echo(f"porter: {self.message}", err=True)


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(path.stem for path in _modules())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = import_module(f"porter.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As click does, but out of the docstrings: an import of every command takes seconds."""
        rows = sorted((path.stem, _summary(path)) for path in _modules())
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """As click does, but out of the docstrings too."""
        commands = [
            CompletionItem(path.stem, help=_summary(path))
            for path in sorted(_modules())
            if path.stem.startswith(incomplete)
        ]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except PorterError as error:
            raise _BadInput(str(error)) from error
        except KeyboardInterrupt:
            raise SystemExit(130) from None
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            raise _BadInput(f"{place}{error.strerror or error}") from error
        except Exception:
            click.echo(traceback.format_exc(), err=True)
            click.echo("porter: a bug of porter; please report it with the lines above", err=True)
            raise SystemExit(3) from None


def _modules() -> Iterator[Path]:
    return (path for path in _FOLDER.glob("*.py") if not path.name.startswith("_"))


def _summary(path: Path) -> str:
    docstring = ast.get_docstring(ast.parse(path.read_bytes())) or ""
    return docstring.partition("\n")[0]


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="porter")
def main() -> None:
    """Port CUDA-only PyTorch code to Intel Gaudi (hpu), and account for every CUDA construct.

    SRC is a folder, a file, a wheel, an sdist, or a requirement (lmcache==0.3.9).
    """
