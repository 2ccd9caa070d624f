"""Trees and results made by hand: rewriting is tested without a scanner."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from porter.findings import Edit, FileResult, Result
from porter.rewrite.journal import FOLDER
from porter.sources.text import SourceText
from porter.sources.tree import Kind, SourceTree

MODULES = {
    "pkg/a.py": b"x = torch.cuda.Stream()\n",
    "pkg/b.py": b"# coding: latin-1\r\ny = 'cuda'  # \xe9\r\n",
    "pkg/deep/c.py": b"\xef\xbb\xbfz = cuda\n# \xc3\xa9",
    "pkg/none.py": b"nothing = 1\n",
    "README.md": b"cuda\n",
}


def _snapshot(root: Path) -> dict[str, bytes]:
    """Every file below ``root``, but for the journal."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and FOLDER not in path.relative_to(root).parts
    }


def _replacing(root: Path, old: str = "cuda", new: str = "hpu") -> Result:
    """Edits that put ``new`` for each ``old`` in the Python files of ``root``."""
    files = []
    for path in SourceTree(root, Kind.FOLDER, str(root)).python_files():
        text = SourceText.decode((root / path).read_bytes()).text
        starts = [at for at in range(len(text)) if text.startswith(old, at)]
        edits = tuple(Edit(at, at + len(old), new) for at in starts)
        files.append(FileResult(path, (), 0, edits))
    return Result((str(root),), tuple(files))


def _populate(root: Path, files: Mapping[str, bytes]) -> None:
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)


@pytest.fixture
def tree(tmp_path: Path) -> SourceTree:
    root = tmp_path / "tree"
    _populate(root, MODULES)
    return SourceTree(root, Kind.FOLDER, "tree")


STEPS = ("replace", "rename", "mkdir", "chmod", "unlink", "open")


@contextmanager
def _fault(at: int, action: Callable[[], None], *, late: bool = False) -> Iterator[list[str]]:
    """Run ``action`` before step ``at`` (from 0) that changes the disk, or right after it.

    Yields the steps taken.

    The product offers no way to die between two system calls, so the calls are
    wrapped from outside.
    """
    taken: list[str] = []

    def counted(name: str, real: Callable[..., object]) -> Callable[..., object]:
        def step(*arguments: object, **keywords: object) -> object:
            if name == "open" and not _opens_to_write(*arguments[1:], **keywords):
                return real(*arguments, **keywords)
            taken.append(name)
            due = len(taken) == at + 1
            if due and not late:
                action()
            answer = real(*arguments, **keywords)
            if due and late:
                action()
            return answer

        return step

    with pytest.MonkeyPatch.context() as patch:
        for name in STEPS:
            patch.setattr(Path, name, counted(name, getattr(Path, name)))
        patch.setattr(os, "fsync", counted("fsync", os.fsync))
        yield taken


def _opens_to_write(mode: str = "r", *_: object, **__: object) -> bool:
    return "r" not in mode


@pytest.fixture
def snapshot() -> Callable[[Path], dict[str, bytes]]:
    return _snapshot


@pytest.fixture
def replacing() -> Callable[..., Result]:
    return _replacing


@pytest.fixture
def fault() -> Callable[..., AbstractContextManager[list[str]]]:
    return _fault
