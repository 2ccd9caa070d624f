from __future__ import annotations

import os
from pathlib import Path

import pytest

from porter.sources import Kind, SourceTree


def files(root: Path) -> list[str]:
    return list(SourceTree(root, Kind.FOLDER, "label").files())


def write(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    return path


def test_paths_are_relative_and_sorted(tmp_path: Path) -> None:
    for name in ("b.py", "a/z.py", "a/b/c.txt"):
        write(tmp_path / name)
    assert files(tmp_path) == ["a/b/c.txt", "a/z.py", "b.py"]


def test_folders_that_hold_no_source_are_skipped(tmp_path: Path) -> None:
    for name in (".git/a.py", "p/__pycache__/b.py", "node_modules/c.py", "env/lib/d.py", "e.py"):
        write(tmp_path / name)
    write(tmp_path / "env" / "pyvenv.cfg")
    assert files(tmp_path) == ["e.py"]


def test_settings_of_editors_are_source(tmp_path: Path) -> None:
    for name in (".vscode/launch.json", ".devcontainer/devcontainer.json", ".idea/a.xml"):
        write(tmp_path / name)
    assert files(tmp_path) == [".devcontainer/devcontainer.json", ".vscode/launch.json"]


def test_a_root_is_read_whatever_its_name(tmp_path: Path) -> None:
    root = tmp_path / ".hidden"
    write(root / "pyvenv.cfg")
    write(root / "a.py")
    assert files(root) == ["a.py", "pyvenv.cfg"]


def test_links_to_folders_are_not_entered(tmp_path: Path) -> None:
    write(tmp_path / "a" / "b.py")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "again").symlink_to(tmp_path / "a")
    assert files(tmp_path) == ["a/b.py"]


def test_a_linked_file_counts_only_below_the_root(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(root / "real.py")
    write(tmp_path / "outside.py")
    # A name that begins like the root's is not below it.
    write(tmp_path / "root-other" / "near.py")
    (root / "inside.py").symlink_to("real.py")
    (root / "out.py").symlink_to(tmp_path / "outside.py")
    (root / "near.py").symlink_to(tmp_path / "root-other" / "near.py")
    assert files(root) == ["inside.py", "real.py"]


def test_a_root_that_is_a_link_keeps_its_links(tmp_path: Path) -> None:
    write(tmp_path / "root" / "real.py")
    (tmp_path / "root" / "inside.py").symlink_to("real.py")
    (tmp_path / "alias").symlink_to("root")
    assert files(tmp_path / "alias") == ["inside.py", "real.py"]


def test_links_in_a_circle_and_into_nowhere_are_skipped(tmp_path: Path) -> None:
    (tmp_path / "one.py").symlink_to("two.py")
    (tmp_path / "two.py").symlink_to("one.py")
    (tmp_path / "nowhere.py").symlink_to("missing.py")
    write(tmp_path / "real.py")
    assert files(tmp_path) == ["real.py"]


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    assert files(tmp_path) == []


def test_a_folder_that_cannot_be_listed_is_named(tmp_path: Path) -> None:
    """Such a folder has a path that is too long, because root may list any other."""
    write(tmp_path / "a.py")
    levels = os.pathconf(tmp_path, "PC_PATH_MAX") // 200 + 1
    make_deep(tmp_path, "d" * 200, levels)
    tree = SourceTree(tmp_path, Kind.FOLDER, "label")
    assert list(tree.files()) == ["a.py"]
    (unreadable,) = tree.unreadable()
    assert set(unreadable.split("/")) == {"d" * 200}


def test_more_levels_than_python_may_recurse(tmp_path: Path) -> None:
    deepest = make_deep(tmp_path, "d", 1200)
    file = tmp_path / deepest / "a.py"
    file.touch()
    try:
        assert files(tmp_path) == [f"{deepest}/a.py"]
    finally:
        # pytest's own way to remove it recurses.
        file.unlink()
        os.removedirs(file.parent)


def make_deep(root: Path, name: str, levels: int) -> str:
    folder = os.open(root, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir(name, dir_fd=folder)
        folder, upper = os.open(name, os.O_RDONLY, dir_fd=folder), folder
        os.close(upper)
    os.close(folder)
    return "/".join([name] * levels)


def test_one_file_alone(tmp_path: Path) -> None:
    write(tmp_path / "a.py")
    write(tmp_path / "b.py")
    tree = SourceTree(tmp_path, Kind.FILE, "label", only="a.py")
    assert list(tree.files()) == ["a.py"]
    assert tree.unreadable() == []


@pytest.mark.parametrize(
    ("kind", "writable"),
    [(Kind.FOLDER, True), (Kind.FILE, True), (Kind.WHEEL, False), (Kind.SDIST, False)],
)
def test_only_the_users_own_files_are_writable(tmp_path: Path, kind: Kind, writable: bool) -> None:
    assert SourceTree(tmp_path, kind, "label").writable is writable


def test_excluded_files_are_left_out(tmp_path: Path) -> None:
    for name in ("a.py", "tests/b.py", "tests/deep/c.py", "pkg/tests.py"):
        write(tmp_path / name)
    tree = SourceTree(tmp_path, Kind.FOLDER, "label", exclude=("tests/*", "a.?y"))
    assert list(tree.files()) == list(tree.python_files()) == ["pkg/tests.py"]
    alone = SourceTree(tmp_path, Kind.FILE, "label", only="a.py", exclude=("*.py",))
    assert list(alone.files()) == []


@pytest.mark.parametrize(
    ("path", "python"), [("a.py", True), ("p/a.pyi", True), ("a.pyc", False), ("py", False)]
)
def test_what_is_python(tmp_path: Path, path: str, python: bool) -> None:
    write(tmp_path / path)
    assert list(SourceTree(tmp_path, Kind.FOLDER, "label").python_files()) == [path] * python
