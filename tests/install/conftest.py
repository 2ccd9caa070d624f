"""Virtual environments, and wheels of a small package: upstream's releases and their ports."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from porter.cli import main
from porter.install.environment import Environment
from porter.package.wheel import DESCRIPTION, write_wheel

Files = dict[str, str]


@dataclass(frozen=True)
class Wheels:
    """A folder that pip takes packages from."""

    folder: Path

    def upstream(self, name: str = "tinykv", version: str = "1.2", **more: object) -> Path:
        return self._build(name, version, **more)  # type: ignore[arg-type]

    def ported(self, version: str = "1.2+hpu.1", **more: object) -> Path:
        info = {"PORTED.md": "# tinykv\n", "porter/remaining.json": "{}\n"}
        extra = more.pop("info", {})
        files = more.pop("files", {"tinykv/__init__.py": "PORTED = True\n"})
        files = {"tinykv/hpu.py": "DEVICE = 'hpu'\n", **files}  # type: ignore[dict-item]
        return self._build("tinykv", version, info={**info, **extra}, files=files, **more)  # type: ignore[arg-type,dict-item]

    def _build(
        self,
        name: str,
        version: str,
        *,
        files: Files | None = None,
        info: Files | None = None,
        requires: tuple[str, ...] = (),
        python: str = ">=3.10",
    ) -> Path:
        if files is None:
            files = {
                f"{name}/__init__.py": f"__version__ = '{version}'\n",
                f"{name}/kernels.py": "ONLY = 'cuda'\n",
            }
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        metadata += f"Requires-Python: {python}\n"
        metadata += "".join(f"Requires-Dist: {requirement}\n" for requirement in requires)
        folder = f"{name}-{version}.dist-info"
        described = {
            "METADATA": metadata,
            "WHEEL": DESCRIPTION,
            "entry_points.txt": f"[console_scripts]\n{name}-server = {name}:main\n",
            **(info or {}),
        }
        contents = {**files, **{f"{folder}/{key}": text for key, text in described.items()}}
        path = self.folder / f"{name}-{version}-py3-none-any.whl"
        write_wheel(path, {key: text.encode() for key, text in contents.items()}, folder)
        return path


@dataclass
class Place:
    """A virtual environment without pip."""

    root: Path

    @property
    def python(self) -> Path:
        return self.root / "bin" / "python"

    @cached_property
    def packages(self) -> Path:
        return Environment.of(self.root).packages

    def pip(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pip", "--python", str(self.python)]
        return subprocess.run(
            [*command, *map(str, arguments)], capture_output=True, text=True, check=False
        )

    def install(self, *wheels: Path) -> None:
        done = self.pip("install", "--no-deps", "--quiet", *wheels)
        assert done.returncode == 0, done.stderr

    def run(self, code: str) -> str:
        done = subprocess.run(
            [self.python, "-c", code], capture_output=True, text=True, check=False, cwd="/"
        )
        return (done.stdout + done.stderr).strip()

    def files(self) -> dict[str, bytes]:
        """All that is there; bytecode comes and goes."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and path.suffix != ".pyc"
        }

    def check(self) -> set[str]:
        """The complaints of ``pip check``."""
        lines = self.pip("check").stdout.splitlines()
        return {line for line in lines if "No broken" not in line}


@pytest.fixture
def wheels(tmp_path: Path) -> Wheels:
    folder = tmp_path / "wheels"
    folder.mkdir()
    return Wheels(folder)


@pytest.fixture(autouse=True)
def only_our_wheels(
    tmp_path: Path, wheels: Wheels, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """No index is asked, and no settings of the user hold, but in tests of the network."""
    if request.node.get_closest_marker("network"):
        return
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels.folder))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    root = tmp_path / "env"
    venv.create(root, symlinks=True)
    return Place(root)


@pytest.fixture
def porter(place: Place) -> Callable[..., Result]:
    """``porter install`` into the environment."""

    def invoke(*arguments: str | Path) -> Result:
        command = ["install", *map(str, arguments), "--python", str(place.root)]
        return CliRunner().invoke(main, command)

    return invoke
