from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from porter.validate.natives import compiled_files, cuda_objects

Make = Callable[..., Any]
NAME = "pkg/part/c_ops.cpython-311-x86_64-linux-gnu.so"


def test_compiled_files(make_tree: Make, shared_object: Make) -> None:
    yes = {"a.so": "", "p/b.so.12": "", "p/c.so.1.2": "", "d.pyd": "", "e.dll": "", "f.dylib": ""}
    no = {"a.py": "", "so": "", "x.sol": "\x7fEL", "p/so.txt": "ELF"}
    disguised = {"bin/tool": shared_object("libc.so.6")}
    files = {**yes, **no, **disguised}
    assert compiled_files(make_tree(files), files) == [*yes, *disguised]


@pytest.mark.parametrize(
    "library",
    [
        "libtorch.so",
        "libtorch_python.so",
        "libc10.so",
        "libc10_cuda.so",
        "libcudart.so.12",
        "libcuda.so.1",
        "libcudart-9335f6a2.so.12",
        "libcublasLt.so.12",
        "libnvrtc.so.12",
        "libnccl.so.2",
        "libcufile.so.0",
    ],
)
def test_linked_with_torch_or_cuda(make_tree: Make, shared_object: Make, library: str) -> None:
    tree = make_tree({NAME: shared_object("libc.so.6", library)})
    (item,) = cuda_objects(tree, [NAME])
    assert item.module == "pkg.part.c_ops"
    assert f"links {library}" in item.failure.what


@pytest.mark.parametrize(
    "library", ["libstdc++.so.6", "libcurl.so.4", "libcups.so.2", "libnss3.so"]
)
def test_linked_with_something_else(make_tree: Make, shared_object: Make, library: str) -> None:
    tree = make_tree({NAME: shared_object(library)})
    assert list(cuda_objects(tree, [NAME])) == []


def test_a_vendored_library_itself(make_tree: Make, shared_object: Make) -> None:
    path = "pkg.libs/libcudart-9335f6a2.so.12"
    tree = make_tree({path: shared_object("libc.so.6")})
    (item,) = cuda_objects(tree, [path])
    assert "libcudart-9335f6a2.so.12" in item.failure.what


def test_no_dynamic_section(make_tree: Make, shared_object: Make) -> None:
    tree = make_tree({NAME: shared_object()})
    assert list(cuda_objects(tree, [NAME])) == []


@pytest.mark.parametrize("cut", [0, 3, 40, 130, 200])
def test_a_damaged_file(make_tree: Make, shared_object: Make, cut: int) -> None:
    tree = make_tree({NAME: shared_object("libtorch.so")[:cut]})
    (item,) = cuda_objects(tree, [NAME])
    assert item.failure.what == "not a readable ELF file"
