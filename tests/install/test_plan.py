"""What is found out about a wheel and an environment before anything is touched."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from porter.cli import main
from porter.install.environment import Environment
from porter.install.plan import make_plan
from porter.install.wheel import PortedWheel

Porter = Callable[..., Result]


def test_a_dry_run_changes_nothing(place: Any, wheels: Any, porter: Porter) -> None:
    place.install(wheels.upstream())
    before = place.files()
    result = porter(wheels.ported(), "--dry-run")
    assert result.exit_code == 0
    assert result.output.splitlines()[0].startswith("tinykv 1.2+hpu.1 into ")
    assert "replaces tinykv 1.2" in result.output
    assert place.files() == before
    assert porter(wheels.ported(requires=("helper",)), "--dry-run").exit_code == 1

    assert porter(wheels.ported()).exit_code == 0
    before = place.files()
    result = porter("--uninstall", "--dry-run")
    assert result.exit_code == 0
    assert "takes tinykv 1.2+hpu.1 out of" in result.output
    assert place.files() == before


def test_another_python_is_refused(place: Any, wheels: Any, porter: Porter) -> None:
    result = porter(wheels.ported(python=">=3.99"), "--force")
    assert result.exit_code == 1
    assert "needs Python >=3.99, not 3." in result.output


def test_a_package_without_a_record_is_refused(place: Any, wheels: Any, porter: Porter) -> None:
    """As a distribution's package manager leaves it."""
    place.install(wheels.upstream())
    (place.packages / "tinykv-1.2.dist-info" / "RECORD").unlink()
    before = place.files()
    result = porter(wheels.ported())
    assert result.exit_code == 1
    assert "tinykv 1.2 has no RECORD" in result.output
    assert place.files() == before


def test_the_system_s_python_is_refused(
    place: Any, wheels: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = Environment.of(place.root)
    managed = Environment(**{**vars(environment), "is_managed": True})
    wheel = PortedWheel.read(wheels.ported())
    assert "PIP_BREAK_SYSTEM_PACKAGES" in make_plan(wheel, managed, fetch=False).obstacles[0]
    monkeypatch.setenv("PIP_BREAK_SYSTEM_PACKAGES", "1")
    assert make_plan(wheel, managed, fetch=False).obstacles == ()


def test_the_bridge_is_looked_for_and_not_loaded(place: Any, wheels: Any, porter: Porter) -> None:
    assert "no Gaudi environment yet" in porter(wheels.ported(), "--dry-run").output
    bridge = place.packages / "habana_frameworks"
    bridge.mkdir()
    (bridge / "__init__.py").write_text("raise SystemExit('loaded')\n")
    result = porter(wheels.ported(), "--dry-run")
    assert result.exit_code == 0, result.output
    assert "habana_frameworks" not in result.output


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are looked for in /proc")
def test_a_process_of_the_environment_is_named(place: Any, wheels: Any, porter: Porter) -> None:
    library = place.packages / "library.so"
    library.write_bytes(b"\0" * 4096)
    code = (
        "import mmap, sys\n"
        f"file = open({str(library)!r}, 'rb')\n"
        "memory = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)\n"
        "print('there', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        result = porter(wheels.ported(), "--dry-run")
        process.communicate()
    assert f"in use by process {process.pid}" in result.output
    assert "in use" not in porter(wheels.ported(), "--dry-run").output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name the wheel to install"),
        (("gone.whl",), "gone.whl: no such file"),
        (("--uninstall", "--deps"), "are for installing"),
        (("--uninstall",), "no ported package is installed there"),
        (("--uninstall", "other"), "other: not installed in"),
        (("--uninstall", "tinykv"), "tinykv 1.2 is not a ported package"),
    ],
)
def test_bad_input_is_one_line(
    place: Any, wheels: Any, porter: Porter, arguments: tuple[str, ...], said: str
) -> None:
    place.install(wheels.upstream())
    result = porter(*arguments)
    assert result.exit_code == 2
    assert said in result.output.splitlines()[-1]


def test_only_ported_wheels_are_taken(wheels: Any, porter: Porter, tmp_path: Path) -> None:
    result = porter(wheels.upstream())
    assert result.exit_code == 2
    assert "not a ported wheel" in result.output
    (tmp_path / "no.whl").write_text("no wheel")
    assert "damaged, or no wheel" in porter(tmp_path / "no.whl").output


def test_an_interpreter_that_is_none(wheels: Any, tmp_path: Path) -> None:
    wheel = str(wheels.ported())
    for python in (tmp_path, tmp_path / "gone", Path("/bin/false")):
        result = CliRunner().invoke(main, ["install", wheel, "--python", str(python)])
        assert result.exit_code == 2
        assert len(result.output.splitlines()) == 1
