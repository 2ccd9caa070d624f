"""porter.package.release: what of a wheel or an sdist goes into a ported wheel."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from porter.errors import PorterError
from porter.package.release import Release
from porter.sources.resolve import open_source
from porter.sources.tree import Kind

PACKAGE = {
    "tinykv/__init__.py",
    "tinykv/connector.py",
    "tinykv/cuda_backend.py",
    "tinykv/plain.py",
    "tinykv/kernels.pyi",
    "tinykv/data/run.sh",
}
NATIVE = "tinykv/kernels.cpython-311-x86_64-linux-gnu.so"


def test_a_wheel_is_taken_as_it_is(tiny: Any) -> None:
    release = Release.of(tiny.tree)
    assert (release.name, str(release.version)) == ("tinykv", "1.2")
    assert set(release.package) == PACKAGE | {NATIVE}
    assert release.info == {"licenses/LICENSE": "tinykv-1.2.dist-info/licenses/LICENSE"}
    assert release.metadata == "tinykv-1.2.dist-info/METADATA"
    assert release.entry_points == "[console_scripts]\ntinykv = tinykv.connector:load\n"


def test_hidden_folders_are_part_of_it_and_bytecode_is_not(tiny: Any) -> None:
    for path in ("tinykv/.templates/a.txt", "tinykv/__pycache__/plain.cpython-311.pyc"):
        (tiny.tree.root / path).parent.mkdir()
        (tiny.tree.root / path).write_text("x")
    package = Release.of(tiny.tree).package
    assert set(package) == PACKAGE | {NATIVE, "tinykv/.templates/a.txt"}


def test_an_sdist_is_taken_for_the_wheel_it_would_make(tiny: Any, tmp_path: Path) -> None:
    release = Release.of(open_source(str(tiny.sdist), cache=tmp_path / "cache"))
    assert (release.name, str(release.version)) == ("tinykv", "1.2")
    assert set(release.package) == PACKAGE
    assert release.info == {"licenses/LICENSE": "LICENSE", "licenses/NOTICE": "NOTICE"}
    assert release.metadata == "PKG-INFO"
    assert release.entry_points == "[console_scripts]\ntinykv = tinykv.connector:load\n"


def test_what_setuptools_left_in_an_sdist_says_more(tiny: Any, tmp_path: Path) -> None:
    root = tmp_path / "sdist"
    shutil.copytree(tiny.sdist.parent / "sdist" / "tinykv-1.2", root)
    (root / "tinykv_tools.py").write_text("")
    info = root / "tinykv.egg-info"
    info.mkdir()
    (info / "top_level.txt").write_text("tinykv\ntinykv_tools\n")
    (info / "entry_points.txt").write_text("[console_scripts]\nold = tinykv:old\n")
    release = Release.of(replace(tiny.tree, root=root, kind=Kind.SDIST))
    assert set(release.package) == PACKAGE | {"tinykv_tools.py"}
    assert release.entry_points == "[console_scripts]\nold = tinykv:old\n"


def test_nothing_outside_an_sdist_is_asked(
    tiny: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without .egg-info, as hatchling leaves it. ``Path.is_file`` is watched, because a test
    cannot put a top_level.txt at the root of the machine."""
    root = tmp_path / "sdist"
    shutil.copytree(tiny.sdist.parent / "sdist" / "tinykv-1.2", root)
    secret = tmp_path / "secret"
    secret.write_text("x")
    for licence in (secret, "../secret"):
        with (root / "PKG-INFO").open("r+") as file:
            text = file.read()
            file.seek(0)
            file.write(f"License-File: {licence}\n{text}")
    asked: list[Path] = []
    is_file = Path.is_file
    monkeypatch.setattr(Path, "is_file", lambda path: asked.append(path) or is_file(path))
    release = Release.of(replace(tiny.tree, root=root, kind=Kind.SDIST))
    assert asked
    assert [path for path in asked if not path.resolve().is_relative_to(root)] == []
    assert set(release.package) == PACKAGE
    assert release.info == {"licenses/LICENSE": "LICENSE", "licenses/NOTICE": "NOTICE"}


def test_a_folder_is_no_release(tiny: Any) -> None:
    with pytest.raises(PorterError, match="give a requirement, a wheel or an sdist"):
        Release.of(replace(tiny.tree, kind=Kind.FOLDER))


def test_a_damaged_release_is_named(tiny: Any) -> None:
    info = tiny.tree.root / "tinykv-1.2.dist-info"
    (info / "METADATA").write_text("Name: tinykv\nVersion: one\n")
    with pytest.raises(PorterError, match=r"tinykv==1\.2: Invalid version: 'one'"):
        Release.of(tiny.tree)
    (info / "METADATA").write_text("Name: tinykv\n")
    with pytest.raises(PorterError, match="METADATA lacks a name or a version"):
        Release.of(tiny.tree)
    (info / "METADATA").unlink()
    with pytest.raises(PorterError, match=r"no tinykv-1\.2\.dist-info/METADATA in it"):
        Release.of(tiny.tree)
    info.rename(tiny.tree.root / "info")
    with pytest.raises(PorterError, match=r"one \.dist-info folder, not 0"):
        Release.of(tiny.tree)


def test_an_sdist_without_the_package_at_its_root_is_refused(tiny: Any, tmp_path: Path) -> None:
    root = tmp_path / "sdist"
    shutil.copytree(tiny.sdist.parent / "sdist" / "tinykv-1.2", root)
    (root / "src").mkdir()
    (root / "tinykv").rename(root / "src" / "tinykv")
    with pytest.raises(PorterError, match="no tinykv at its root; port its wheel"):
        Release.of(replace(tiny.tree, root=root, kind=Kind.SDIST))
