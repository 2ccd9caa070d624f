"""porter.sources.elf: told by what is in a file, and quiet about one that is damaged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from porter.sources.elf import (
    UnreadableElfError,
    is_elf,
    links_torch_or_cuda,
    needed,
    of_torch_or_cuda,
)

Make = Callable[..., bytes]


def test_what_a_file_asks_for(make_elf: Make, tmp_path: Path) -> None:
    path = tmp_path / "object"
    path.write_bytes(make_elf("libtorch.so", "libc.so.6"))
    assert is_elf(path)
    assert needed(path) == (["libtorch.so", "libc.so.6"], "EM_X86_64")
    path.write_bytes(make_elf(machine=190))
    assert needed(path) == ([], "EM_CUDA")


def test_libraries_of_torch_and_cuda() -> None:
    libraries = ["libc.so.6", "libtorch.so", "libtorrent.so", "libcudart-9.so.12", "libcurl.so.4"]
    assert of_torch_or_cuda(libraries) == ["libtorch.so", "libcudart-9.so.12"]


@pytest.mark.parametrize(
    ("library", "links"),
    [("libc10.so", True), ("libcuda.so.1", True), ("libc.so.6", False), ("libnuma.so.1", False)],
)
def test_a_file_that_links(make_elf: Make, tmp_path: Path, library: str, links: bool) -> None:
    path = tmp_path / "ops.so"
    path.write_bytes(make_elf("libm.so.6", library))
    assert links_torch_or_cuda(path) is links


@pytest.mark.parametrize("data", [b"", b"\x7fE", b"import os\n", b"libtorch.so"])
def test_text_is_no_elf_file(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "kernels.so"
    path.write_bytes(data)
    assert not is_elf(path)
    assert not links_torch_or_cuda(path)
    with pytest.raises(UnreadableElfError):
        needed(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnreadableElfError):
        needed(tmp_path / "gone.so")
    assert links_torch_or_cuda(tmp_path / "gone.so")


@pytest.mark.parametrize("length", [4, 40, 64, 130, 180])
def test_a_file_that_is_cut_off_counts(make_elf: Make, tmp_path: Path, length: int) -> None:
    path = tmp_path / "ops.so"
    path.write_bytes(make_elf("libc.so.6")[:length])
    with pytest.raises(UnreadableElfError) as caught:
        needed(path)
    assert str(caught.value)
    assert "\n" not in str(caught.value)
    assert links_torch_or_cuda(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(at=st.integers(4, 300), patch=st.binary(min_size=1, max_size=16))
@example(at=32, patch=b"\xff" * 8)
@example(at=54, patch=b"\x00\x00")
@example(at=64, patch=b"\xff" * 16)
def test_any_damage_is_one_kind_of_error(
    make_elf: Make, tmp_path_factory: pytest.TempPathFactory, at: int, patch: bytes
) -> None:
    whole = make_elf("libtorch.so", "libc.so.6")
    path = tmp_path_factory.getbasetemp() / "damaged.so"
    path.write_bytes(whole[:at] + patch + whole[at + len(patch) :])
    try:
        libraries, machine = needed(path)
    except UnreadableElfError as error:
        assert str(error)
        assert "\n" not in str(error)
    else:
        assert all(isinstance(item, str) for item in [*libraries, machine])
