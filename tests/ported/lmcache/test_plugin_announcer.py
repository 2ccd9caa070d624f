"""The connector tells plugins of requests. vLLM's base class and LMCache's side are stand-ins."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from enum import Enum
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

BASE = "vllm.distributed.kv_transfer.kv_connector.v1.base"
OURS = "lmcache.integration.vllm"
PLUGINS = SimpleNamespace(runtime_plugin_locations=["/plugins"])


class Role(Enum):
    SCHEDULER = 0
    WORKER = 1


class Base:
    def __init__(self, vllm_config: Any, role: Role, kv_cache_config: Any = None) -> None: ...

    def request_finished(self, request: Any, block_ids: list[int]) -> tuple[bool, None]:
        return False, None

    def shutdown(self) -> None: ...


class Engine:
    """LMCache has 128 tokens more than vLLM."""

    config: Any = PLUGINS

    def __init__(self, vllm_config: Any, role: Role, parent: Any) -> None:
        self.named = os.environ.get("LMCACHE_HPU_PLUGIN_SOCKET", "")

    def get_num_new_matched_tokens(self, request: Any, computed: int) -> int:
        return 128

    def update_state_after_alloc(self, request: Any, tokens: int) -> None: ...

    def request_finished(self, request: Any, blocks: list[int]) -> tuple[bool, dict[str, int]]:
        return True, {"blocks": len(blocks)}


@pytest.fixture(autouse=True)
def _in_time() -> Iterator[None]:
    """A connector that waits for a plugin would wait for ever."""

    def late(number: int, frame: Any) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(30)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def make(hpu: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """A connector of our own, and of an engine with this id."""
    standing_in = {
        BASE: {"KVConnectorBase_V1": Base, "KVConnectorRole": Role},
        f"{OURS}.vllm_v1_adapter_hpu": {"LMCacheConnectorV1ImplHPU": Engine},
        "lmcache.logging": {"init_logger": logging.getLogger},
    }
    for name, attributes in standing_in.items():
        vars(module := ModuleType(name)).update(attributes)
        monkeypatch.setitem(sys.modules, name, module)
    parts = BASE.split(".")
    for count in range(1, len(parts)):
        monkeypatch.setitem(sys.modules, ".".join(parts[:count]), ModuleType(parts[0]))
    for name in (f"{OURS}.lmcache_connector_hpu", "lmcache.hpu.plugins.announcer"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setenv("LMCACHE_HPU_PLUGIN_SOCKET", "")
    monkeypatch.setattr(hpu("presence"), "has_bridge", lambda: True)
    from lmcache.integration.vllm.lmcache_connector_hpu import (  # noqa: PLC0415
        LMCacheConnectorV1HPU,
    )

    made = []

    def connector(role: Role = Role.SCHEDULER, engine_id: str = f"test-{os.getpid()}") -> Any:
        transfer = SimpleNamespace(engine_id=engine_id)
        made.append(LMCacheConnectorV1HPU(SimpleNamespace(kv_transfer_config=transfer), role))
        return made[-1]

    yield connector
    for one in made:
        one.shutdown()


@pytest.fixture
def connect(hpu: Any) -> Iterator[Callable[..., socket.socket]]:
    """A plugin's end of what the connector listens on."""
    made = []

    def connection(connector: Any) -> socket.socket:
        made.append(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
        made[-1].connect(hpu("plugins.stats").socket_address(connector._lmcache_engine.named))
        made[-1].settimeout(10)
        return made[-1]

    yield connection
    for one in made:
        one.close()


def request(name: str = "r") -> Any:
    return SimpleNamespace(
        request_id=name,
        num_prompt_tokens=300,
        num_output_tokens=7,
        arrival_time=time.time(),
        get_finished_reason=lambda: "stop",
    )


def test_vllm_s_calls_become_a_message(hpu: Any, make: Any, connect: Any) -> None:
    connector, asked = make(), request()
    plugin = connect(connector)
    assert connector.get_num_new_matched_tokens(asked, 64) == (128, False)
    connector.update_state_after_alloc(asked, None, 128)
    assert connector.request_finished(asked, [1, 2]) == (True, {"blocks": 2})
    missed, stats = hpu("plugins.stats").decode(plugin.recv(1 << 16))
    assert missed == 0
    assert (stats.request_id, stats.prompt_tokens, stats.output_tokens) == ("r", 300, 7)
    assert (stats.prefix_tokens, stats.loaded_tokens, stats.finish_reason) == (64, 128, "stop")
    assert 0 <= stats.seconds < 60
    assert connector._plugins._prefix == connector._plugins._loaded == {}


def test_a_worker_tells_nobody(make: Any, connect: Any) -> None:
    connector = make(Role.WORKER)
    assert connector._plugins is None
    assert connector._lmcache_engine.named, "its plugins hear of the scheduler's requests"
    with pytest.raises(ConnectionRefusedError):
        connect(connector)


def test_without_plugins_there_is_no_socket(
    make: Any, connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Engine, "config", SimpleNamespace(plugin_locations=[]))
    connector = make()
    assert connector._plugins is None
    with pytest.raises(ConnectionRefusedError):
        connect(connector)
    assert connector.request_finished(request(), []) == (True, {"blocks": 0})


def test_a_second_engine_of_the_name_warns(make: Any, caplog: pytest.LogCaptureFixture) -> None:
    make()
    assert make()._plugins is None
    assert "Plugins will hear of no request: [Errno 98]" in caplog.text


def test_whoever_is_gone_is_forgotten(make: Any, connect: Any) -> None:
    connector = make()
    plugin, other = connect(connector), connect(connector)
    connector.request_finished(request("one"), [])
    assert len(connector._plugins._plugins) == 2
    plugin.close()
    connector.request_finished(request("two"), [])
    assert len(connector._plugins._plugins) == 1
    assert b"one" in other.recv(1 << 16)
    assert b"two" in other.recv(1 << 16)


def test_whoever_is_slow_is_told_what_it_missed(hpu: Any, make: Any, connect: Any) -> None:
    connector = make()
    plugin = connect(connector)
    total = 5000
    for number in range(total):
        connector.request_finished(request(str(number)), [])
    missed = connector._plugins._plugins[0].missed
    assert 0 < missed < total
    for number in range(total - missed):
        assert hpu("plugins.stats").decode(plugin.recv(1 << 16))[1].request_id == str(number)
    connector.request_finished(request("after"), [])
    heard, stats = hpu("plugins.stats").decode(plugin.recv(1 << 16))
    assert (heard, stats.request_id) == (missed, "after")


def test_another_user_is_not_let_in(
    make: Any, connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector = make()
    plugin = connect(connector)
    monkeypatch.setattr(os, "geteuid", lambda: -2)
    connector.request_finished(request(), [])
    assert plugin.recv(1 << 16) == b""
    assert connector._plugins._plugins == []


def test_what_goes_wrong_does_not_reach_vllm(
    make: Any, connect: Any, caplog: pytest.LogCaptureFixture
) -> None:
    connector = make()
    connect(connector)
    odd = request("odd")
    del odd.num_output_tokens
    assert connector.request_finished(odd, [1]) == (True, {"blocks": 1})
    assert "Plugins did not hear of odd: AttributeError" in caplog.text
