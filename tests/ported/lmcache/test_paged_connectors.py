"""The connectors for whole batches, with the classes of real ported releases."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest
from click.testing import CliRunner

from porter.cli import main

pytestmark = pytest.mark.network
pytest.importorskip("torch", reason="the device needs torch")

Port = Callable[[str], Path]


@pytest.fixture(scope="session")
def port(tmp_path_factory: pytest.TempPathFactory) -> Port:
    """The unpacked wheel of a ported release."""
    folders: dict[str, Path] = {}

    def unpacked(release: str) -> Path:
        if release not in folders:
            out, folder = (tmp_path_factory.mktemp(name) for name in ("ported", "site"))
            command = ["port", f"lmcache=={release}", "-o", str(out), "--level", "static"]
            result = CliRunner().invoke(main, command)
            assert result.exit_code == 0, result.output
            (wheel,) = out.glob("*.whl")
            with ZipFile(wheel) as archive:
                archive.extractall(folder)
            folders[release] = folder
        return folders[release]

    return unpacked


@pytest.mark.parametrize("lazy", [True, False], ids=["lazy", "eager"])
@pytest.mark.parametrize(
    ("check", "release"),
    [
        ("v2", "0.3.9.post2"),
        ("v2", "0.5.6"),
        ("refusals", "0.3.9.post2"),
        ("refusals", "0.5.6"),
        ("v3", "0.5.6"),
        ("create", "0.5.6"),
    ],
)
def test_a_connector(port: Port, check: str, release: str, lazy: bool) -> None:
    here = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, here / "connector_checks.py", check, release],
        env={
            **os.environ,
            "PT_HPU_LAZY_MODE": str(int(lazy)),
            "PYTHONPATH": os.pathsep.join([str(port(release)), *filter(None, sys.path)]),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if done.returncode and done.stderr.startswith("needs "):
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr


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
            "0.5.6",
            "lmcache/integration/vllm/vllm_service_factory.py",
            "from lmcache.hpu.connectors.create import CreateGPUConnector",
        ),
    ],
)
def test_the_adapter_makes_ours(port: Port, release: str, path: str, line: str) -> None:
    assert line in [text.strip() for text in (port(release) / path).read_text().splitlines()]
