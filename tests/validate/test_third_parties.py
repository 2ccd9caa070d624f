"""Which third parties a package imports, by its text."""

from __future__ import annotations

import pytest

from porter.validate.third_parties import third_parties


def found(*texts: str) -> list[str]:
    return third_parties(texts, {"pkg"})


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("import redis", ["import redis"]),
        ("import a.b as c, d", ["import a.b", "import d"]),
        ("from a.b import c as d, e", ["from a.b import c", "from a.b import e"]),
        ("from a import *", ["import a"]),
        ("try:\n    import a\nexcept ImportError:\n    import b", ["import a"]),
        ("class A:\n    with b:\n        import c", ["import c"]),
    ],
)
def test_what_is_imported_with_the_module(text: str, statements: list[str]) -> None:
    assert found(text) == statements


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    import a",
        "if TYPE_CHECKING:\n    import a",
        "import pkg.a\nfrom pkg import b\nfrom . import c\nfrom .d import e",
        "import os.path\nfrom concurrent import futures",
        "import torch.distributed\nimport habana_frameworks.torch",
        "import a b",
        "\0",
    ],
)
def test_what_is_left_out(text: str) -> None:
    assert found(text) == []


def test_each_once_in_the_order_of_the_texts() -> None:
    assert found("import b\nimport a", "import c\nimport b") == ["import b", "import a", "import c"]
