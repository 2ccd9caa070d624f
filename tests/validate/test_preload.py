"""Third parties that are imported once for all modules: nothing may show but the time."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from porter.validate import imports
from porter.validate.third_parties import third_parties

pytestmark = pytest.mark.skipif(find_spec("torch") is None, reason="needs torch")

# Each tells what loads it, in the file that ONCE names.
LOG = "import os; os.write(os.open({log!r}, os.O_WRONLY | os.O_APPEND), b'{name} ')\n"
THIRD_PARTIES = {
    "good": "import good.sub",
    "good.sub": "import torch\nHAS = torch.cuda.is_available()\nask = torch.cuda.device_count\n",
    "raises": "raise OSError('no such card')",
    "crashes": "import os; os.kill(os.getpid(), 11)",
    "leaves": "import os; os._exit(0)",
    "hangs": "import time; time.sleep(600)",
    "threads": "import threading, time; threading.Thread(target=time.sleep, args=[600]).start()",
    "knows": "import pkg.fine",
    "bridges": "import habana_frameworks.torch",
    "loud": "print('noise'); import sys; sys.stderr.write('noise')",
}
MODULES = {
    "pkg/__init__.py": "",
    "pkg/fine.py": "import sys\nSEEN = [name for name in sys.modules if name.startswith('pkg')]\n",
    "pkg/alone.py": "import good, sys\nassert 'pkg.fine' not in sys.modules\n",
    "pkg/first.py": "import sys\nassert 'good' not in sys.modules\nimport good\n",
    "pkg/asks.py": "import good.sub\nimport torch\n\ngood.sub.ask()\ntorch.cuda.is_available()\n",
    "pkg/also.py": "from good.sub import ask\nimport loud\n\nask()\n",
    "pkg/lacks.py": "import good\nfrom good import nothing\n",
    "pkg/absent.py": "import good, absent\n",
    "pkg/no_bridge.py": "import good, torch\n\ntorch.hpu.synchronize()\n",
    **{
        f"pkg/with_{name}.py": f"import good, {name}\n"
        for name in THIRD_PARTIES
        if name not in ("good.sub", "hangs")
    },
}


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The unpacked wheel; its third parties lie beside it, and write a log."""
    log = tmp_path / "log"
    log.touch()
    for name, text in THIRD_PARTIES.items():
        parts = name.split(".")
        is_package = any(other.startswith(f"{name}.") for other in THIRD_PARTIES)
        path = tmp_path.joinpath("site", *parts, *(["__init__.py"] if is_package else []))
        path = path if is_package else path.with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(LOG.format(log=str(log), name=name) + text)
    for name, text in MODULES.items():
        (tmp_path / "wheel" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "wheel" / name).write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    monkeypatch.setattr(imports, "_TIMEOUT", 8.0)
    return tmp_path / "wheel"


def lines(wheel: Path, files: dict[str, str], preload: list[str]) -> list[dict[str, Any]]:
    names = [path.removesuffix(".py").replace("/", ".") for path in files]
    names = [name.removesuffix(".__init__") for name in names]
    return list(imports.import_modules(wheel, names, {"pkg"}, preload, {}))


def records(said: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {line["module"]: line for line in said if "module" in line}


def loads(wheel: Path, name: str) -> int:
    """How often the third party was loaded until now."""
    return (wheel.parent / "log").read_text().split().count(name)


def test_the_result_is_the_same_with_it_and_without(wheel: Path) -> None:
    preload = [*third_parties(MODULES.values(), {"pkg"}), "import hangs"]
    said = lines(wheel, MODULES, preload)
    assert {"loading": "import hangs"} in said
    assert len([line for line in said if "module" in line]) == len(MODULES)
    attempts = [line for line in said if line.get("loading") == preload[0]]
    # What fails beside third parties is tried without them.
    failing = ("lacks", "no_bridge", "with_raises", "with_crashes", "with_leaves")
    assert loads(wheel, "good") == len(attempts) + len(failing) + len({"first"})

    found = records(said)
    assert found == records(lines(wheel, MODULES, []))
    ends = {name: record["error"] and record["error"]["kind"] for name, record in found.items()}
    assert sorted(name for name, error in ends.items() if error) == sorted(
        f"pkg.{name}" for name in (*failing, "absent")
    )
    assert ends["pkg.no_bridge"].startswith("AttributeError: module 'torch' has no attribute 'hpu'")
    assert ends["pkg.with_raises"] == "OSError: no such card"
    assert found["pkg.asks"]["probes"] == [
        ["pkg/asks.py", 4, "device_count"],
        ["pkg/asks.py", 5, "is_available"],
    ]


def test_a_third_party_is_loaded_once(wheel: Path) -> None:
    lines(wheel, {"pkg/alone.py": "", "pkg/asks.py": ""}, ["import good", "import absent"])
    assert (loads(wheel, "good"), loads(wheel, "good.sub")) == (1, 1)


def test_one_that_is_bad_costs_one_more_attempt(wheel: Path) -> None:
    files = {"pkg/alone.py": ""}
    lines(wheel, files, ["import good", "import raises", "import threads", "import knows"])
    assert [loads(wheel, name) for name in ("good", "raises", "threads", "knows")] == [2, 1, 1, 1]


def test_the_package_itself_is_imported_once(wheel: Path) -> None:
    log = str(wheel.parent / "log")
    (wheel / "pkg" / "__init__.py").write_text(LOG.format(log=log, name="pkg"))
    files = ["pkg/__init__.py", "pkg/fine.py", "pkg/alone.py"]
    found = records(lines(wheel, dict.fromkeys(files, ""), ["import good"]))
    assert [record["error"] for record in found.values()] == [None] * 3
    assert loads(wheel, "pkg") == 1


def test_a_package_that_does_not_import_fails_each_module(wheel: Path) -> None:
    (wheel / "pkg" / "__init__.py").write_text("raise OSError('no such card')\n")
    found = records(lines(wheel, {"pkg/__init__.py": "", "pkg/fine.py": ""}, ["import good"]))
    assert {record["error"]["kind"] for record in found.values()} == {"OSError: no such card"}
