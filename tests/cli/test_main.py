"""What holds for every command: discovery, exit codes, one clear line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import Result

import porter
from porter.cli import main
from porter.errors import PorterError

Run = Callable[..., Result]
COMMANDS = {path.stem for path in Path(porter.__file__).parent.glob("cli/[!_]*.py")}


def modules_after(*arguments: str) -> set[str]:
    """The modules that a fresh interpreter holds once porter has run."""
    code = (
        "import sys\nfrom porter.cli import main\n"
        f"try: main({list(arguments)!r})\nexcept SystemExit: pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_help_lists_every_command_with_a_line(run: Run) -> None:
    result = run("--help")
    assert result.exit_code == 0
    listed = result.stdout.partition("Commands:")[2]
    for name in COMMANDS:
        assert any(
            line.startswith(f"  {name} ") and len(line.split()) > 3 for line in listed.splitlines()
        ), name


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_of_a_command_shows_an_example(run: Run, name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert f"porter {name}" in result.stdout.partition("Example")[2]


def test_help_imports_no_command() -> None:
    loaded = modules_after("--help")
    assert "porter.cli" in loaded
    assert not {name for name in loaded if name.startswith("porter.cli.")}
    assert not loaded & {"libcst", "rich", "unearth"}


def test_scan_imports_what_it_needs(project: Path) -> None:
    loaded = modules_after("scan", str(project))
    assert "porter.cli.scan" in loaded
    assert not {
        name
        for name in loaded
        if name.startswith(
            ("porter.cli.rewrite", "porter.package", "porter.validate", "porter.rewrite")
        )
    }
    assert not loaded & {"torch", "unearth", "jsonschema", "pytest"}


def test_version(run: Run) -> None:
    assert run("--version").stdout == f"porter, version {porter.__version__}\n"


def test_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "porter", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"porter, version {porter.__version__}\n"


def test_an_unknown_command(run: Run) -> None:
    result = run("scna")
    assert result.exit_code == 2
    assert "scna" in result.stderr


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch, run: Run) -> Callable[[BaseException], Result]:
    """Run a command that raises: no real command has every way to fail."""

    def fail(error: BaseException) -> Result:
        @click.command()
        def command() -> None:
            raise error

        monkeypatch.setattr(main, "get_command", lambda ctx, name: command)
        return run("fail")

    return fail


def test_bad_input_is_one_line(failing: Callable[[BaseException], Result]) -> None:
    result = failing(PorterError("x.whl: not a wheel"))
    assert (result.exit_code, result.stderr) == (2, "porter: x.whl: not a wheel\n")


def test_what_the_system_refuses_is_one_line(failing: Callable[[BaseException], Result]) -> None:
    result = failing(PermissionError(13, "Permission denied", "x.py"))
    assert (result.exit_code, result.stderr) == (2, "porter: x.py: Permission denied\n")


def test_a_bug_of_ours_shows_where(failing: Callable[[BaseException], Result]) -> None:
    result = failing(ZeroDivisionError("oops"))
    assert result.exit_code == 3
    assert "Traceback" in result.stderr
    assert "ZeroDivisionError: oops" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("porter: a bug of porter")


def test_usage_errors_are_clicks(failing: Callable[[BaseException], Result]) -> None:
    result = failing(click.UsageError("no such thing"))
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr


def test_an_interrupt_in_process(failing: Callable[[BaseException], Result]) -> None:
    assert failing(KeyboardInterrupt()).exit_code == 130


def test_a_broken_pipe_says_nothing(failing: Callable[[BaseException], Result]) -> None:
    result = failing(BrokenPipeError(32, "Broken pipe"))
    assert (result.exit_code, result.output) == (1, "")


def test_a_reader_that_goes_away_is_no_error(project: Path) -> None:
    for number in range(100):
        (project / f"pkg/m{number}.py").write_text(
            "import torch\n" + "torch.cuda.current_stream()\n" * 20
        )
    with subprocess.Popen(
        [sys.executable, "-m", "porter", "scan", str(project)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
