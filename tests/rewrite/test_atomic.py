"""One file that a user asked for: whole, or as it was."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from porter.errors import PorterError
from porter.rewrite import write_file


@pytest.mark.parametrize("before", [b"older", None])
def test_it_is_written_or_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: bytes | None
) -> None:
    if before is not None:
        (tmp_path / "a.patch").write_bytes(before)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as context:
        context.setattr(os, "fsync", full)
        with pytest.raises(PorterError, match=r"a\.patch: cannot be written: No space left"):
            write_file(tmp_path / "a.patch", b"new")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == ([before] if before else [])
    write_file(tmp_path / "a.patch", b"new")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"new"]


def test_a_link_is_written_through(tmp_path: Path) -> None:
    """Standard output is one: /dev/stdout."""
    (tmp_path / "real").write_bytes(b"older")
    (tmp_path / "link").symlink_to("real")
    write_file(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real").read_bytes() == b"new"


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_file(tmp_path / "pipe", b"new")
        assert os.read(reader, 9) == b"new"
    finally:
        os.close(reader)
