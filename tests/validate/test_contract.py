"""The contract rung, with a small wheel and a small package that calls its class."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from porter.sources.tree import SourceTree
from porter.validate import contract
from porter.validate.contract import check
from porter.validate.installed import release_of
from porter.validate.rung import Failure, Outcome, Status

Make = Callable[..., SourceTree]
needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="needs torch")
BASE = """\
import threading
from abc import ABC, abstractmethod

print("noise")
threading.Thread(target=threading.Event().wait).start()

class Base(ABC):
    def __init__(self, config, cache): ...
    @abstractmethod
    def load(self, context, **more): ...
    def save(self, layer): ...
    def finished(self, ids): ...
"""
OURS = """\
import torch, habana_frameworks.torch
from caller.base import Base

assert torch.hpu.is_available()


class Ours(Base):
    def __init__(self, config, cache=None): ...

    def load(self, context, **more): ...

    def save(self, layer): ...
"""


@pytest.fixture
def caller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The package ``caller`` in this environment, beside the wheel."""
    site = tmp_path / "site"
    info = site / "caller_cpu-2.5.dist-info"
    for path, text in {
        site / "caller" / "__init__.py": "",
        site / "caller" / "base.py": BASE,
        info / "METADATA": "Metadata-Version: 2.1\nName: caller-cpu\nVersion: 2.5\n",
        info / "top_level.txt": "caller\n",
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(site))
    monkeypatch.syspath_prepend(site)
    release_of.cache_clear()
    return site


@pytest.fixture
def climb(tmp_path: Path, make_wheel: Make) -> Callable[..., Outcome]:
    def climb(ours: str = OURS, name: str = "pkg.ours:Ours") -> Outcome:
        row = {"class": name, "base": "caller.base:Base", "own": ["save", "finished_long_ago"]}
        listed = {"schema_version": 1, "contracts": [row]}
        files = {
            "pkg/__init__.py": "",
            "pkg/ours.py": ours,
            "pkg-1.0.dist-info/porter/contract.json": json.dumps(listed),
        }
        return check(make_wheel(files))

    return climb


def changed(old: str, new: str) -> str:
    assert old in OURS
    return OURS.replace(old, new)


@needs_torch
@pytest.mark.usefixtures("caller")
def test_a_class_that_answers(climb: Callable[..., Outcome]) -> None:
    outcome = climb(changed("    def save", "    def finished_long_ago(self): ...\n\n    def save"))
    assert outcome == Outcome(
        Status.PASSED,
        "Ours as Base of caller-cpu 2.5: 3 members of its own, 1 inherited",
        notes=("Ours leaves to its base: finished",),
    )


@needs_torch
@pytest.mark.usefixtures("caller")
def test_failures_are_where_the_method_is(climb: Callable[..., Outcome]) -> None:
    ours = changed("self, context, **more", "self, context, later")
    outcome = climb(ours.replace("    def save(self, layer): ...\n", ""))
    assert outcome.status is Status.FAILED
    assert outcome.summary.endswith("1 member of its own, 1 inherited, 3 wrong")
    cure = "define it as caller-cpu 2.5 calls it"
    assert outcome.failures == (
        Failure(
            "pkg/ours.py",
            10,
            "Ours.load: missing a required argument: 'later', where callers know "
            "Base.load(context, **more)",
            cure,
        ),
        Failure("pkg/ours.py", 7, "Ours.save: left to Base, and must not be", cure),
        Failure(
            "pkg/ours.py",
            7,
            "Ours.finished_long_ago: neither class has it, and the recipe says that it must be "
            "defined",
            cure,
        ),
    )


@needs_torch
@pytest.mark.usefixtures("caller")
@pytest.mark.parametrize(
    ("ours", "what"),
    [
        (changed("class Ours(Base)", "class Ours"), "Ours is no Base"),
        (changed("class Ours", "class Other"), "Ours does not import: AttributeError"),
        (changed("    def load(self, context, **more): ...\n", ""), "abstract in Base"),
        (changed("import torch", "import pkg.gone, torch"), "No module named 'pkg.gone'"),
        ("import torch\ntorch.ones(1).cuda()\n", "Ours does not import: "),
        ("Ours = 3\n", "pkg.ours:Ours is no class"),
    ],
)
def test_what_is_wrong_is_said(climb: Callable[..., Outcome], ours: str, what: str) -> None:
    outcome = climb(ours)
    assert outcome.status is Status.FAILED
    assert any(what in str(failure) for failure in outcome.failures)
    assert all("\n" not in str(failure) for failure in outcome.failures)


@needs_torch
@pytest.mark.usefixtures("caller")
def test_a_third_party_that_is_missing(climb: Callable[..., Outcome]) -> None:
    outcome = climb(changed("import torch", "import no_such_package.sub, torch"))
    assert outcome == Outcome(Status.NOT_RUN, "needs no_such_package, which is not installed")


@needs_torch
def test_a_caller_that_does_not_import(caller: Path, climb: Callable[..., Outcome]) -> None:
    (caller / "caller" / "base.py").write_text("import no_such_package\n")
    outcome = climb()
    assert outcome.status is Status.NOT_RUN
    assert outcome.summary.startswith("caller.base:Base does not import: ModuleNotFoundError")


@needs_torch
def test_a_caller_that_crashes(caller: Path, climb: Callable[..., Outcome]) -> None:
    (caller / "caller" / "base.py").write_text("import os; os._exit(3)\n")
    outcome = climb()
    assert outcome.status is Status.NOT_RUN
    assert outcome.summary.startswith("the interpreter ends while it imports the classes")


@needs_torch
def test_a_caller_that_hangs(
    caller: Path, climb: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contract, "_TIMEOUT", 8.0)
    (caller / "caller" / "base.py").write_text("import time; time.sleep(600)\n")
    outcome = climb()
    assert outcome == Outcome(Status.NOT_RUN, "the classes do not import within 8 s")


@needs_torch
def test_without_the_caller(climb: Callable[..., Outcome]) -> None:
    assert climb() == Outcome(Status.NOT_RUN, "needs caller, which is not installed")


@needs_torch
def test_no_device_no_rung(
    caller: Path, climb: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    (caller / "habana_frameworks").mkdir()
    (caller / "habana_frameworks" / "__init__.py").touch()
    outcome = climb()
    assert outcome.status is Status.NOT_RUN
    assert "Intel's habana_frameworks" in outcome.summary


def test_without_torch(climb: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in is for an environment without torch, which this one may not be."""
    monkeypatch.setattr(contract, "find_spec", lambda name: None)
    assert climb() == Outcome(Status.NOT_RUN, "needs torch: pip install 'porter[emulator]'")


def test_a_package_that_nobody_calls(make_tree: Make) -> None:
    outcome = check(make_tree({"a.py": ""}))
    assert outcome == Outcome(Status.NOT_RUN, "the package lists no class that others call")
