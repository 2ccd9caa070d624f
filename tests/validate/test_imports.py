"""The import rung, with a small wheel that has one module for each way to end."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from porter.progress import Progress
from porter.sources.tree import SourceTree
from porter.validate import imports
from porter.validate.beside import Beside
from porter.validate.rung import Outcome, Status

Make = Callable[..., SourceTree]
needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="needs torch")
BAD = {
    "pkg/__init__.py": "",
    "pkg/__main__.py": "raise SystemExit('a program')",
    "pkg/fine.py": "import torch, habana_frameworks.torch\nx = torch.ones(1).hpu()\n",
    "pkg/loud.py": "print('noise')\nimport sys; sys.stderr.write('noise')\n",
    "pkg/native.py": "\nimport pkg.c_ops\n",
    "pkg/unbound.py": "\n\nfrom pkg import c_ops\n",
    "pkg/misnamed.py": "from pkg import fines\n",
    "pkg/gone.py": "import pkg.late\n",
    "pkg/outdated.py": "import email.no_such_module\n",
    "pkg/third.py": "import no_such_package.sub\n",
    "pkg/wrapped.py": (
        "try:\n    import no_such_package\n"
        "except ImportError as e:\n    raise ImportError('install it') from e\n"
    ),
    "pkg/wrong.py": "def f():\n    1 / 0\nf()\n",
    "pkg/ends.py": "raise SystemExit(0)\n",
    "pkg/leaves.py": "import os; os._exit(0)\n",
    "pkg/crash.py": "import os; os.kill(os.getpid(), 11)\n",
    "pkg/hang.py": "import time; time.sleep(600)\n",
    "pkg/probe.py": "import torch\n\nHAS = torch.cuda.is_available()\n",
    "pkg/cuda.py": "import torch\nx = torch.ones(1).cuda()\n",
    "pkg/thread.py": "from threading import Timer\nTimer(600, print).start()\n",
    "pkg/not-a-module.py": "1 / 0",
    "pkg/program.py": "1 / 0",
}


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    root = tmp_path_factory.mktemp("wheel")
    return climb(root, BAD)


def climb(root: Path, files: dict[str, str], progress: Progress | None = None) -> Outcome:
    from porter.sources.tree import Kind  # noqa: PLC0415

    left = {
        "schema_version": 1,
        "files": [],
        "native_modules": ["pkg.c_ops"],
        "routed_modules": [],
        "programs": ["pkg/program.py"],
    }
    info = {"METADATA": "", "porter/remaining.json": json.dumps(left)}
    info = {f"pkg-1.0.dist-info/{name}": text for name, text in info.items()}
    for path, text in {**files, **info}.items():
        (root / path).parent.mkdir(exist_ok=True, parents=True)
        (root / path).write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(imports, "_TIMEOUT", 8.0)
        return imports.check(SourceTree(root, Kind.WHEEL, "pkg.whl"), progress)


@needs_torch
def test_each_failure_is_named_at_its_place(outcome: Outcome) -> None:
    found = {failure.path: (failure.line, failure.what) for failure in outcome.failures}
    assert found == {
        "pkg/native.py": (2, "pkg.native needs pkg.c_ops, a native module that the port dropped"),
        "pkg/unbound.py": (3, "pkg.unbound needs pkg.c_ops, a native module that the port dropped"),
        "pkg/misnamed.py": (
            1,
            "pkg.misnamed does not import: "
            "ImportError: cannot import name 'fines' from 'pkg' (pkg/__init__.py)",
        ),
        "pkg/gone.py": (1, "pkg.gone needs pkg.late, which is not in the wheel"),
        "pkg/outdated.py": (
            1,
            "pkg.outdated does not import: ModuleNotFoundError: "
            "No module named 'email.no_such_module'",
        ),
        "pkg/wrong.py": (2, "pkg.wrong does not import: ZeroDivisionError: division by zero"),
        "pkg/ends.py": (1, "pkg.ends does not import: SystemExit: 0"),
        "pkg/leaves.py": (1, "pkg.leaves does not import: exits"),
        "pkg/crash.py": (1, "pkg.crash does not import: ends the interpreter by SIGSEGV"),
        "pkg/hang.py": (1, "pkg.hang does not import: takes more than 8 s"),
        "pkg/cuda.py": (
            2,
            "pkg.cuda does not import: AssertionError: Torch not compiled with CUDA enabled",
        ),
    }
    assert outcome.status is Status.FAILED


@needs_torch
def test_a_native_module_that_was_dropped_has_a_cure(outcome: Outcome) -> None:
    (failure,) = (item for item in outcome.failures if item.path == "pkg/native.py")
    assert failure.cure == (
        "route it to a module that is in the wheel, or drop this one by the recipe"
    )


@needs_torch
def test_a_third_party_is_neither_pass_nor_fail(outcome: Outcome) -> None:
    assert (
        "needs no_such_package, which is not installed: 2 modules: pkg.third, pkg.wrapped"
        in outcome.notes
    )
    assert outcome.summary == ("5 of 18 modules import, 2 need what is not installed, 11 fail")


@needs_torch
def test_a_namespace_may_lack_a_distribution(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site" / "shared" / "here").mkdir(parents=True)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    monkeypatch.syspath_prepend(tmp_path / "site")
    lacking = climb(tmp_path / "wheel", {"pkg/a.py": "import shared.here, shared.there.deep\n"})
    assert lacking.notes == ("needs shared.there, which is not installed: 1 module: pkg.a",)


@needs_torch
def test_a_caller_that_is_not_installed_is_there_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ZipFile(tmp_path / "engine.whl", "w") as wheel:
        wheel.writestr("engine/__init__.py", "1 / 0\nclass Base: ...\n")
    there = Beside("engine", "1.0", tmp_path / "engine.whl", "the names in engine 1.0")
    monkeypatch.setattr(imports, "beside", lambda *_: (there,))
    files = {
        "pkg/fits.py": "from engine import Base\nclass Mine(Base): ...\n",
        "pkg/moved.py": "from engine import Moved\n",
        "pkg/gone.py": "import engine.gone\n",
    }
    outcome = climb(tmp_path / "wheel", files)
    assert outcome.summary == "1 of 3 modules import, 2 fail; beside the names in engine 1.0"
    assert [failure.what for failure in outcome.failures] == [
        f"pkg.{module} needs engine.{name}, which 1.0 of engine does not have"
        for module, name in [("gone", "gone"), ("moved", "Moved")]
    ]
    assert outcome.notes == (
        "engine is not installed: its names were there, and nothing of it ran",
    )


@needs_torch
def test_cuda_probes_are_listed_with_their_caller(outcome: Outcome) -> None:
    assert [note for note in outcome.notes if "torch.cuda" in note] == [
        "pkg/probe.py:3: asks torch.cuda.is_available() while it is imported"
    ]


@needs_torch
def test_a_good_wheel_passes_and_is_left_as_it_was(tmp_path: Path) -> None:
    good = {path: BAD[path] for path in ("pkg/__init__.py", "pkg/fine.py", "pkg/probe.py")}
    passed = climb(tmp_path, good)
    assert (passed.status, passed.summary) == (Status.PASSED, "3 of 3 modules import")
    assert not list(tmp_path.rglob("__pycache__"))


@needs_torch
def test_where_all_need_a_third_party_nothing_is_proven(tmp_path: Path) -> None:
    assert climb(tmp_path, {"pkg/third.py": BAD["pkg/third.py"]}).status is Status.NOT_RUN


@needs_torch
def test_progress_shows_before_the_first_module_is_done(tmp_path: Path) -> None:
    shown: list[tuple[int, int | None]] = []
    climb(tmp_path, {"pkg/a.py": "import libcst\n"}, lambda *done: shown.append(done))
    assert shown[0] == (0, None)
    assert shown[-1] == (1, 1)


@needs_torch
def test_no_device_no_rung(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "intel" / "habana_frameworks").mkdir(parents=True)
    (tmp_path / "intel" / "habana_frameworks" / "__init__.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "intel"))
    (tmp_path / "wheel").mkdir()
    outcome = climb(tmp_path / "wheel", {"pkg/__init__.py": ""})
    assert outcome.status is Status.NOT_RUN
    assert "Intel's habana_frameworks" in outcome.summary


def test_without_torch(make_wheel: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in is for an environment without torch, which this one may not be."""
    monkeypatch.setattr(imports, "find_spec", lambda name: None)
    outcome = imports.check(make_wheel({"pkg/a.py": ""}))
    assert outcome == Outcome(Status.NOT_RUN, "needs torch: pip install 'porter[emulator]'")


def test_a_folder_is_no_wheel(make_tree: Callable[..., Any]) -> None:
    outcome = imports.check(make_tree({"a.py": ""}))
    assert outcome.status is Status.NOT_RUN
    assert "no .dist-info folder" in outcome.summary
