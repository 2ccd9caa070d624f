"""porter.package.native: told by what a file links, not by its name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from porter.package.native import unfit

EM_CUDA = 190


@pytest.mark.parametrize(
    "library",
    [
        "libtorch.so",
        "libtorch_cpu.so",
        "libtorch_python.so",
        "libc10.so",
        "libc10_cuda.so",
        "libcuda.so.1",
        "libcudart.so.12",
        "libcudart-9335f6a2.so.12.8.90",
        "libcublasLt.so.12",
        "libcufile.so.0",
        "libnccl.so.2",
        "libnvrtc.so.12",
    ],
)
def test_torch_and_cuda_are_unfit(shared_object: Callable[..., Path], library: str) -> None:
    file = shared_object("libc.so.6", library)
    assert unfit(file) == f"links {library}"


@pytest.mark.parametrize("library", ["libc.so.6", "libcurl.so.4", "libnuma.so.1", "libtorrent.so"])
def test_other_libraries_are_fit(shared_object: Callable[..., Path], library: str) -> None:
    file = shared_object(library)
    assert unfit(file) is None


def test_device_code_is_unfit(shared_object: Callable[..., Path]) -> None:
    assert unfit(shared_object(machine=EM_CUDA)) == "device code for CUDA"


@pytest.mark.parametrize("length", [4, 40, 64, 130, 180])
def test_a_damaged_file_is_unfit(shared_object: Callable[..., Path], length: int) -> None:
    file = shared_object("libc.so.6")
    file.write_bytes(file.read_bytes()[:length])
    reason = unfit(file)
    assert reason is not None
    assert "\n" not in reason
