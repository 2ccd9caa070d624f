"""porter.sources.names: what Python calls a module, wherever its project keeps it."""

from __future__ import annotations

import pytest

from porter.sources.names import module_name, package_of


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a.py", "a"),
        ("acme/ops.py", "acme.ops"),
        ("acme/ops.pyi", "acme.ops"),
        ("acme/__init__.py", "acme"),
        ("acme/part/__init__.pyi", "acme.part"),
        ("src/acme/ops.py", "acme.ops"),
        ("python/acme/ops.py", "acme.ops"),
        ("acme-1.0/src/acme/ops.py", "acme.ops"),
        ("acme/src/ops.py", "acme.src.ops"),
        ("src/setup.py", "setup"),
        ("acme/ops.so", "acme.ops"),
        ("acme/ops.abi3.so", "acme.ops"),
        ("acme/ops.cpython-311-x86_64-linux-gnu.so", "acme.ops"),
        ("src/acme/ops.cp311-win_amd64.pyd", "acme.ops"),
        ("acme/__init__.cpython-311-x86_64-linux-gnu.so", "acme"),
        ("acme.libs/libcudart-9335f6a2.so.12", "libcudart-9335f6a2"),
    ],
)
def test_the_name_of_a_module(path: str, name: str) -> None:
    assert module_name(path) == name


@pytest.mark.parametrize(
    ("path", "package"),
    [("a.py", ""), ("acme/a.py", "acme"), ("acme/part/__init__.py", "acme.part"), ("lib/a.py", "")],
)
def test_the_package_of_a_module(path: str, package: str) -> None:
    assert package_of(path) == package
