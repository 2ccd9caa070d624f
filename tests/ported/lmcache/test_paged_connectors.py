"""The connectors for whole batches, with the classes of real ported releases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.network
pytest.importorskip("torch", reason="the device needs torch")

Port = Callable[[str], Path]


@pytest.mark.parametrize(
    "lazy", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["lazy", "eager"]
)
@pytest.mark.parametrize(
    ("check", "release"),
    [
        ("v2", "0.3.9.post2"),
        ("v2", "0.5.6"),
        ("refusals", "0.3.9.post2"),
        ("refusals", "0.5.6"),
        ("v3", "0.3.13"),
        ("v3", "0.4.4"),
        ("v3", "0.5.6"),
        ("create", "0.3.14"),
        ("create", "0.4.4"),
        ("sglang", "0.3.9.post2"),
        ("sglang", "0.5.6"),
        ("create", "0.5.6"),
    ],
)
def test_a_connector(checked: Callable[..., None], check: str, release: str, lazy: bool) -> None:
    checked("connector_checks.py", check, release, PT_HPU_LAZY_MODE=str(int(lazy)))


@pytest.mark.parametrize(
    ("release", "path", "line"),
    [
        (
            "0.3.9.post2",
            "lmcache/integration/vllm/vllm_v1_adapter.py",
            "from lmcache.hpu.connectors.paged import "
            "VLLMPagedMemHPUConnectorV2 as VLLMPagedMemGPUConnectorV2",
        ),
        (
            "0.3.9.post2",
            "lmcache/integration/vllm/vllm_v1_adapter.py",
            "from lmcache.hpu.connectors.layerwise import "
            "VLLMPagedMemLayerwiseHPUConnector as VLLMPagedMemLayerwiseGPUConnector",
        ),
        (
            "0.3.12",
            "lmcache/integration/vllm/vllm_v1_adapter.py",
            "from lmcache.hpu.connectors.paged import "
            "VLLMPagedMemHPUConnectorV3 as VLLMPagedMemGPUConnectorV3",
        ),
        (
            "0.3.13",
            "lmcache/v1/manager.py",
            "from lmcache.hpu.connectors.layerwise import "
            "VLLMPagedMemLayerwiseHPUConnector as VLLMPagedMemLayerwiseGPUConnector",
        ),
        (
            "0.3.14",
            "lmcache/v1/manager.py",
            "from lmcache.hpu.connectors.create import CreateGPUConnector",
        ),
        (
            "0.5.6",
            "lmcache/integration/vllm/vllm_service_factory.py",
            "from lmcache.hpu.connectors.create import CreateGPUConnector",
        ),
    ],
)
def test_the_adapter_makes_ours(port: Port, release: str, path: str, line: str) -> None:
    assert line in [text.strip() for text in (port(release) / path).read_text().splitlines()]
