"""A ported wheel takes upstream's place, and upstream's comes back as it was."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from click.testing import Result

from porter.install.environment import Environment
from porter.install.transaction import exchange

Porter = Callable[..., Result]


def test_it_replaces_upstream_and_brings_it_back(place: Any, wheels: Any, porter: Porter) -> None:
    place.install(wheels.upstream())
    before = place.files()

    result = porter(wheels.ported())
    assert result.exit_code == 0, result.output
    assert "replaces tinykv 1.2" in result.output
    assert "imported tinykv" in result.output
    assert place.run("import tinykv; print(tinykv.PORTED)") == "True"
    assert not (place.packages / "tinykv" / "kernels.py").exists()
    assert place.check() == set()

    result = porter("--uninstall", "tinykv")
    assert result.exit_code == 0, result.output
    assert "put tinykv 1.2 back as it was" in result.output
    assert place.files() == before


def test_where_nothing_was_it_only_removes(place: Any, wheels: Any, porter: Porter) -> None:
    before = place.files()
    result = porter(wheels.ported())
    assert "no tinykv is there to be replaced" in result.output
    assert (place.root / "bin" / "tinykv-server").is_file()
    result = porter("--uninstall")
    assert result.exit_code == 0, result.output
    assert "there was no tinykv before it" in result.output
    assert place.files() == before


def test_a_second_port_hands_on_what_the_first_replaced(
    place: Any, wheels: Any, porter: Porter
) -> None:
    place.install(wheels.upstream(version="1.1"))
    before = place.files()
    for version in ("1.2+hpu.1", "1.2+hpu.2", "1.2+hpu.2"):
        result = porter(wheels.ported(version))
        assert result.exit_code == 0, result.output
        assert "kept tinykv 1.1" in result.output
    assert porter("--uninstall", "TinyKV").exit_code == 0
    assert place.files() == before


def test_what_is_kept_goes_with_the_port(place: Any, wheels: Any, porter: Porter) -> None:
    """Another tool that removes or replaces the port leaves nothing behind."""
    place.install(wheels.upstream())
    before = place.files()
    assert porter(wheels.ported()).exit_code == 0
    assert place.pip("install", "--quiet", wheels.upstream()).returncode == 0
    after = place.files()
    assert after.keys() - before.keys() == set()


def test_plain_pip_replaces_upstream_as_well(place: Any, wheels: Any, porter: Porter) -> None:
    place.install(wheels.upstream())
    place.install(wheels.ported())
    assert place.run("import tinykv; print(tinykv.PORTED)") == "True"
    assert not (place.packages / "tinykv" / "kernels.py").exists()
    assert place.check() == set()

    result = porter("--uninstall")
    assert result.exit_code == 0, result.output
    assert "installed tinykv 1.2 from the package index" in result.output
    assert place.run("import tinykv; print(tinykv.__version__)") == "1.2"


def test_what_cannot_be_fetched_changes_nothing(place: Any, wheels: Any, porter: Porter) -> None:
    place.install(wheels.ported("1.3+hpu.1"))
    before = place.files()
    result = porter("--uninstall", "tinykv")
    assert result.exit_code == 2
    assert "tinykv===1.3" in result.output
    assert place.files() == before


def test_settings_of_pip_that_lead_elsewhere_do_not_hold(
    place: Any, wheels: Any, porter: Porter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_TARGET", str(tmp_path / "elsewhere"))
    result = porter(wheels.ported())
    assert result.exit_code == 0, result.output
    assert not (tmp_path / "elsewhere").exists()


def test_an_upstream_outside_of_the_environment_is_hidden(
    place: Any, wheels: Any, porter: Porter, tmp_path: Path
) -> None:
    """As in a virtual environment that sees the packages of the system."""
    outside = tmp_path / "outside"
    done = place.pip("install", "--quiet", "--target", outside, wheels.upstream())
    assert done.returncode == 0, done.stderr
    (place.packages / "outside.pth").write_text(f"{outside}\n")
    before = place.files()
    result = porter(wheels.ported())
    assert result.exit_code == 0, result.output
    assert f"hides tinykv 1.2, which stays in {outside}" in result.output
    assert place.run("import tinykv; print(tinykv.PORTED)") == "True"
    assert porter("--uninstall").exit_code == 0
    assert place.files() == before
    assert place.run("import tinykv; print(tinykv.__version__)") == "1.2"


def test_an_editable_upstream_comes_back(
    place: Any, wheels: Any, porter: Porter, tmp_path: Path
) -> None:
    """As pip leaves it: a path file, and a .dist-info that says where the sources are."""
    sources = tmp_path / "sources"
    (sources / "tinykv").mkdir(parents=True)
    (sources / "tinykv" / "__init__.py").write_text("EDITABLE = True\n")
    place.install(wheels.upstream(files={"tinykv.pth": f"{sources}\n"}))
    info = place.packages / "tinykv-1.2.dist-info"
    (info / "direct_url.json").write_text('{"url": "file:///x", "dir_info": {"editable": true}}')
    with (info / "RECORD").open("a") as record:
        record.write("tinykv-1.2.dist-info/direct_url.json,,\n")
    before = place.files()

    result = porter(wheels.ported())
    assert "tinykv 1.2 is editable" in result.output
    assert place.run("import tinykv; print(tinykv.PORTED)") == "True"
    assert porter("--uninstall").exit_code == 0
    assert place.files() == before
    assert place.run("import tinykv; print(tinykv.EDITABLE)") == "True"


def test_a_changed_upstream_comes_back_changed(place: Any, wheels: Any, porter: Porter) -> None:
    place.install(wheels.upstream())
    script = place.root / "bin" / "tinykv-server"
    (place.packages / "tinykv" / "kernels.py").write_text("ONLY = 'a patch of mine'\n")
    (place.packages / "tinykv" / "kernels.py").chmod(0o755)
    before = place.files()
    result = porter(wheels.ported())
    assert "tinykv 1.2 is not as it was installed" in result.output
    assert porter("--uninstall").exit_code == 0
    assert place.files() == before
    assert (place.packages / "tinykv" / "kernels.py").stat().st_mode & 0o777 == 0o755
    assert script.stat().st_mode & 0o111


def test_requirements_that_are_missing_stop_it(place: Any, wheels: Any, porter: Porter) -> None:
    place.install(wheels.upstream(requires=("old",)))
    wheels.upstream("helper", "2.0", requires=("deeper",))
    wheels.upstream("deeper", "1.0")
    ported = wheels.ported(requires=("old", "helper>=2", 'never; python_version < "3"'))
    before = place.files()
    complaints = place.check()

    result = porter(ported)
    assert result.exit_code == 1
    assert "tinykv needs helper>=2, which is not installed" in result.output
    assert "old" not in result.output, "it was complained of before"
    assert place.files() == before

    result = porter(ported, "--force")
    assert result.exit_code == 0, result.output
    assert "goes without: helper>=2" in result.output
    assert porter("--uninstall").exit_code == 0
    assert place.files() == before

    result = porter(ported, "--deps")
    assert result.exit_code == 0, result.output
    assert "fetched helper 2.0" in result.output
    assert "fetched deeper 1.0" in result.output
    assert {line.replace("1.2+hpu.1", "1.2") for line in place.check()} == complaints


def test_what_is_there_is_never_replaced(place: Any, wheels: Any, porter: Porter) -> None:
    """Neither by a requirement of the port, nor by one of what is fetched for it."""
    place.install(wheels.upstream("torch", "2.7.1+gaudi"), wheels.upstream("common", "1.0"))
    wheels.upstream("torch", "9.0")
    wheels.upstream("common", "2.0")
    wheels.upstream("helper", "1.0", requires=("common>=2",))
    wheels.upstream("torch_user", "1.0", requires=("torch",))
    before = place.files()

    result = porter(wheels.ported(requires=("common>=2",)), "--deps")
    assert result.exit_code == 1
    assert "tinykv needs common>=2, and 1.0 is installed" in result.output
    result = porter(wheels.ported(requires=("helper",)), "--deps")
    assert result.exit_code == 2
    assert place.files() == before

    assert porter(wheels.ported(requires=("torch-user",)), "--deps").exit_code == 0
    assert (place.packages / "torch-2.7.1+gaudi.dist-info").is_dir()


def test_torch_is_never_fetched(place: Any, wheels: Any, porter: Porter) -> None:
    wheels.upstream("torch", "9.0")
    wheels.upstream("torch_user", "1.0", requires=("torch",))
    before = place.files()
    assert porter(wheels.ported(requires=("torch",)), "--deps").exit_code == 1
    assert porter(wheels.ported(requires=("torch-user",)), "--deps").exit_code == 2
    assert place.files() == before


def test_a_package_that_would_lose_its_requirement_stops_it(
    place: Any, wheels: Any, porter: Porter
) -> None:
    place.install(wheels.upstream(), wheels.upstream("user", "1.0", requires=("tinykv<1.3",)))
    before = place.files()
    result = porter(wheels.ported("1.4+hpu.1"))
    assert result.exit_code == 1
    assert "user needs tinykv<1.3, and 1.4+hpu.1 is installed" in result.output
    assert place.files() == before
    assert porter(wheels.ported()).exit_code == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("raise RuntimeError('no device')\n", "RuntimeError: no device"),
        ("import tinykv.gone\n", "ModuleNotFoundError: No module named 'tinykv.gone'"),
        ("import os; os._exit(5)\n", "exit code 5"),
    ],
)
def test_a_port_that_does_not_import_is_taken_back(
    place: Any, wheels: Any, porter: Porter, text: str, said: str
) -> None:
    wheels.upstream("helper", "2.0")
    place.install(wheels.upstream())
    before = place.files()
    ported = wheels.ported(files={"tinykv/__init__.py": text}, requires=("helper",))
    result = porter(ported, "--deps")
    assert result.exit_code == 1
    assert said in result.output
    assert "is as it was" in result.output
    assert place.files() == before


def test_a_third_party_that_is_missing_is_said(place: Any, wheels: Any, porter: Porter) -> None:
    contract = {"class": "tinykv.connector:Connector", "base": "engine.base:Base", "own": []}
    rows = {"schema_version": 1, "contracts": [contract]}
    ported = wheels.ported(info={"porter/contract.json": json.dumps(rows)})
    result = porter(ported)
    assert result.exit_code == 0, result.output
    assert "not tried: tinykv.connector, which needs engine" in result.output
    assert "habana_frameworks is not installed there" in result.output

    (place.packages / "engine").mkdir()
    (place.packages / "engine" / "base.py").write_text("")
    result = porter(ported)
    assert result.exit_code == 1, "the caller is there, and the connector is not"
    assert "No module named 'tinykv.connector'" in result.output


def test_pip_that_fails_midway_leaves_all_as_it_was(
    place: Any, wheels: Any, porter: Porter
) -> None:
    """A folder where a file has to go: pip meets it when others are written already."""
    place.install(wheels.upstream())
    (place.packages / "tinykv" / "zz.py").mkdir()
    (place.packages / "tinykv" / "zz.py" / "mine").write_text("of the user\n")
    before = place.files()
    files = {"tinykv/__init__.py": "", "tinykv/zz.py": ""}
    result = porter(wheels.ported(files=files))
    assert result.exit_code == 2
    assert "is as it was" in result.output
    assert place.files() == before


@pytest.fixture
def killed(place: Any, wheels: Any) -> None:
    """A run that replaces upstream is killed when pip is done."""
    place.install(wheels.upstream())
    ported = wheels.ported()
    code = f"""
import os, signal
from pathlib import Path
from porter.install import perform
from porter.install.environment import Environment
from porter.install.plan import make_plan
from porter.install.wheel import PortedWheel

real = perform.pip
def killed(environment, command, *arguments):
    real(environment, command, *arguments)
    os.kill(os.getpid(), signal.SIGKILL)
perform.pip = killed
environment = Environment.of(Path({str(place.root)!r}))
perform.install(make_plan(PortedWheel.read(Path({str(ported)!r})), environment, fetch=False))
"""
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == -signal.SIGKILL
    assert place.run("import tinykv; print(tinykv.PORTED)") == "True"


@pytest.mark.usefixtures("killed")
def test_a_killed_run_is_put_back_by_the_next(place: Any, wheels: Any, porter: Porter) -> None:
    result = porter("--uninstall")
    assert result.exit_code == 2
    assert "put tinykv back, left by a run that was killed" in result.output
    assert place.run("import tinykv; print(tinykv.__version__)") == "1.2"
    after = place.files()
    place.install(wheels.upstream())
    assert place.files() == after


@pytest.mark.usefixtures("killed")
def test_a_killed_run_is_forgotten_where_another_release_is_there(
    place: Any, wheels: Any, porter: Porter
) -> None:
    place.install(wheels.upstream(version="1.5"))
    assert "no ported package" in porter("--uninstall").output
    assert place.run("import tinykv; print(tinykv.__version__)") == "1.5"
    assert not list(place.packages.glob(".porter*"))


def test_files_of_others_that_are_in_the_way_come_back(place: Any, wheels: Any) -> None:
    place.install(wheels.upstream())
    stranger = place.packages / "tinykv" / "hpu.py"
    stranger.write_text("of somebody else\n")
    before = place.files()
    with (
        pytest.raises(KeyboardInterrupt),
        exchange(
            environment := Environment.of(place.root),
            "tinykv",
            environment.distributions()["tinykv"],
            [stranger],
        ),
    ):
        stranger.write_text("new\n")
        raise KeyboardInterrupt
    assert place.files() == before


def test_a_kept_archive_that_is_damaged_is_not_used(
    place: Any, wheels: Any, porter: Porter
) -> None:
    place.install(wheels.upstream())
    assert porter(wheels.ported()).exit_code == 0
    archive = next(place.packages.glob("tinykv-*.dist-info/porter/replaced.tar.gz"))
    archive.write_bytes(archive.read_bytes()[:-10])
    before = place.files()
    result = porter("--uninstall")
    assert result.exit_code == 2
    assert "damaged or missing, so 1.2 cannot be put back" in result.output
    assert place.files() == before


def test_a_damaged_wheel_is_refused(place: Any, wheels: Any, porter: Porter) -> None:
    place.install(wheels.upstream())
    before = place.files()
    whole = wheels.ported()
    other = whole.with_name("other.whl")
    with ZipFile(whole) as old, ZipFile(other, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, b"DEVICE = 'cpu'\n" if name == "tinykv/hpu.py" else data)
    result = porter(shutil.move(other, whole))
    assert result.exit_code == 2
    assert "damaged: tinykv/hpu.py is not what RECORD says" in result.output
    whole.write_bytes(whole.read_bytes()[:-30])
    assert porter(whole).exit_code == 2
    assert place.files() == before
