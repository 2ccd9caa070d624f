"""A package that is not installed, by the text in its wheel."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from zipfile import ZipFile

import pytest

from porter.validate.stand_in import StandIn

FILES = {
    "engine/__init__.py": "import no_such_package\nfrom .version import __version__\n"
    "if TYPE_CHECKING:\n    from engine.core import Core\n"
    "def __getattr__(name): return LAZY[name]\n",
    "engine/version.py": "try:\n    from ._version import __version__\n"
    "except Exception:\n    __version__ = 'dev'\n",
    "engine/_version.py": "__version__ = version = '1.2'\n",
    "engine/core.py": "1 / 0\nclass Core: ...\nLIMIT: int = 3\nCOUNT = len('ab')\n"
    "from engine.utils import *\nfrom . import sub\nfrom torch import Tensor\n",
    "engine/utils/__init__.py": "from .math import cdiv as divide\n",
    "engine/utils/math.py": "def cdiv(a, b): ...\n",
    "engine/sub/deep.py": "X = 1\n",
    "engine/loop.py": "from engine.loop import name\n",
    "engine/_C.so": "",
    "other/__init__.py": "",
}


@pytest.fixture(autouse=True)
def engine(tmp_path: Path) -> Iterator[None]:
    path = tmp_path / "engine.whl"
    with ZipFile(path, "w") as archive:
        for name, text in FILES.items():
            archive.writestr(name, text)
    finder = StandIn("engine", path)
    sys.meta_path.append(finder)
    yield
    sys.meta_path.remove(finder)
    for name in [name for name in sys.modules if name.partition(".")[0] == "engine"]:
        del sys.modules[name]


def test_what_the_text_binds_is_there_and_nothing_runs() -> None:
    from engine.core import Core, sub  # type: ignore[import-not-found]  # noqa: PLC0415

    assert isinstance(Core, type)
    assert sub is import_module("engine.sub")
    assert import_module("engine.core").Core is Core


def test_literals_have_their_values() -> None:
    assert import_module("engine").__version__ == "1.2"
    core = import_module("engine.core")
    assert core.LIMIT == 3
    assert core.COUNT != 2


def test_a_name_is_the_same_wherever_it_comes_from() -> None:
    cdiv = import_module("engine.utils.math").cdiv
    assert import_module("engine.utils").divide is cdiv
    assert import_module("engine.core").divide is cdiv


def test_what_a_module_says_it_will_answer_for() -> None:
    assert import_module("engine").Core is not None


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("from engine.utils import cdiv", r"cannot import name 'cdiv' from 'engine.utils'"),
        ("from engine import Other", "cannot import name"),
        ("import engine.gone", "No module named 'engine.gone'"),
        ("import engine.core.deeper", "not a package"),
        ("import engine._C", "No module named"),
        ("import other", "No module named"),
    ],
)
def test_what_is_not_in_the_wheel_fails(statement: str, message: str) -> None:
    with pytest.raises(ImportError, match=message):
        exec(statement, {})


def test_a_name_that_leads_back_to_itself_is_there() -> None:
    assert isinstance(import_module("engine.loop").name, type)
