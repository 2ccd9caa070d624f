"""The engine's end: the scheduler tells the plugins that listen which requests are done.

The engine never waits for a plugin. One that is too slow misses requests, and is told how many;
one that has died is forgotten. Without plugins in LMCache's configuration nothing of this exists.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lmcache.hpu.plugins.stats import (
    SOCKET,
    RequestStats,
    encode,
    socket_address,
    socket_name,
)
from lmcache.logging import init_logger

if TYPE_CHECKING:
    from vllm.config import VllmConfig
    from vllm.v1.request import Request

logger = init_logger(__name__)

_CREDENTIALS = struct.Struct("3i")  # process, user, group


def name_socket(vllm_config: VllmConfig) -> None:
    """Tell the plugins that this process is about to launch where to listen."""
    os.environ[SOCKET] = socket_name(str(vllm_config.kv_transfer_config.engine_id))


def announcer(lmcache_config: Any) -> Announcer | None:
    """What tells the plugins of ``lmcache_config``; None where there are none, or no socket."""
    locations = (
        getattr(lmcache_config, "runtime_plugin_locations", None),
        getattr(lmcache_config, "plugin_locations", None),
    )
    if not any(locations):
        return None
    try:
        return Announcer(os.environ[SOCKET])
    except OSError as error:
        logger.warning("Plugins will hear of no request: %s", error)
        return None


class Announcer:
    """Raises OSError where another process has the name."""

    def __init__(self, name: str) -> None:
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.setblocking(False)
        self._plugins: list[_Plugin] = []
        self._prefix: dict[str, int] = {}
        self._loaded: dict[str, int] = {}
        try:
            self._listener.bind(socket_address(name))
            self._listener.listen()
        except OSError:
            self._listener.close()
            raise

    def looked_up(self, request: Request, prefix_tokens: int) -> None:
        """vLLM had ``prefix_tokens`` itself; the first time counts: a preempted one has more."""
        self._prefix.setdefault(request.request_id, prefix_tokens)

    def scheduled(self, request: Request, loaded_tokens: int) -> None:
        """LMCache loads ``loaded_tokens`` beyond those; the first time counts here, too."""
        self._loaded.setdefault(request.request_id, loaded_tokens)

    def finished(self, request: Request) -> None:
        """Tell who listens. Whatever goes wrong is logged: the engine's work is not this."""
        prefix = self._prefix.pop(request.request_id, 0)
        loaded = self._loaded.pop(request.request_id, 0)
        try:
            self._welcome()
            if self._plugins:
                self._tell(_stats(request, prefix, loaded))
        except Exception as error:
            logger.warning("Plugins did not hear of %s: %r", request.request_id, error)

    def close(self) -> None:
        self._listener.close()
        for plugin in self._plugins:
            plugin.connection.close()
        self._plugins.clear()

    def _welcome(self) -> None:
        """Those who connected since the last time. Of other users nobody is let in."""
        while True:
            try:
                connection, _ = self._listener.accept()
            except BlockingIOError:
                return
            if _user(connection) == os.geteuid():
                connection.setblocking(False)
                self._plugins.append(_Plugin(connection))
            else:
                connection.close()

    def _tell(self, stats: RequestStats) -> None:
        for plugin in list(self._plugins):
            try:
                plugin.connection.send(encode(plugin.missed, stats))
                plugin.missed = 0
            except BlockingIOError:
                plugin.missed += 1
            except OSError:
                plugin.connection.close()
                self._plugins.remove(plugin)


@dataclass
class _Plugin:
    connection: socket.socket
    missed: int = field(default=0)


def _user(connection: socket.socket) -> int:
    size = _CREDENTIALS.size
    peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    return int(_CREDENTIALS.unpack(peer)[1])


def _stats(request: Request, prefix: int, loaded: int) -> RequestStats:
    return RequestStats(
        request_id=request.request_id,
        prompt_tokens=request.num_prompt_tokens,
        output_tokens=request.num_output_tokens,
        prefix_tokens=prefix,
        loaded_tokens=loaded,
        finish_reason=str(request.get_finished_reason()),
        seconds=time.time() - request.arrival_time,
    )
