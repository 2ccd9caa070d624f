"""The class that a plugin is derived from.

    class Audit(Plugin):
        def on_request_complete(self, request_id, stats):
            self.log(f"{request_id}: {stats.cached_tokens} of {stats.prompt_tokens} were cached")

    if __name__ == "__main__":
        Audit.main()

LMCache's launcher decides by the name of the file which processes of the engine run the script:
``scheduler_audit.py``, ``worker_0_audit.py``, ``all_audit.py``.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from io import TextIOWrapper
from types import FrameType
from typing import Any, NoReturn, TypeVar

from lmcache.hpu.plugins.engine import Engine
from lmcache.hpu.plugins.stats import LONGEST, SOCKET, RequestStats, decode, socket_address

_PREFIXES = ("LMCACHE_RUNTIME_PLUGIN_", "LMCACHE_PLUGIN_")  # the second until 0.3.10
_LOOK_AGAIN = 1.0  # seconds

_Value = TypeVar("_Value", str, int, float)


class Plugin:
    """A script beside the engine. Its hooks are called one after the other, in its main thread.

    A plugin with ``on_request_complete`` runs until the engine stops it or is gone; one without
    ends with ``on_startup``.
    """

    def __init__(
        self, config: dict[str, Any], role: str, worker_count: int, worker_id: int
    ) -> None:
        """``config`` is LMCache's, as JSON has it. ``role`` is ``scheduler`` or ``worker``,
        empty in LMCache's server for several engines; a scheduler's ``worker_id`` is -1.
        """
        self.config = config
        self.role = role
        self.worker_count = worker_count
        self.worker_id = worker_id
        #: Requests that this plugin was too slow to hear of.
        self.missed = 0

    def on_startup(self) -> None:
        """LMCache has started in this process of the engine; vLLM may take requests much later."""

    def on_request_complete(self, request_id: str, stats: RequestStats) -> None:
        """The scheduler is done with a request: it ended, or it was given up.

        Requests that ended before ``on_startup`` returned are not heard of. An error is logged,
        and the next request comes.
        """

    def on_shutdown(self) -> None:
        """Called however the plugin ends, but for a kill that cannot be caught."""

    @cached_property
    def engine(self) -> Engine:
        """vLLM's server, by the settings ``engine_url`` and ``engine_model``.

        ``VLLM_API_KEY`` is its key: not a setting, since LMCache prints those.
        """
        return Engine(
            self.setting("engine_url", "http://127.0.0.1:8000"),
            self.setting("engine_model", ""),
            os.environ.get("VLLM_API_KEY", ""),
        )

    def setting(self, name: str, default: _Value) -> _Value:
        """``LMCACHE_HPU_NAME`` of the environment, or ``hpu_name`` of LMCache's ``extra_config``.

        Raises ValueError, which names the setting, where it is not of the default's kind.
        """
        extra = self.config.get("extra_config") or {}
        value = os.environ.get(f"LMCACHE_HPU_{name.upper()}", extra.get(f"hpu_{name}", default))
        try:
            return type(default)(value)
        except (TypeError, ValueError):
            kind = type(default).__name__
            raise ValueError(f"hpu_{name} must be of type {kind}, not {value!r}") from None

    def log(self, text: str) -> None:
        """Into the log of the engine, where LMCache's launcher writes what a plugin prints."""
        with suppress(BrokenPipeError):  # nobody is left who reads it
            print(text, flush=True)

    @classmethod
    def main(cls) -> NoReturn:
        """Run as the script that LMCache's launcher started."""
        environment = _launched()
        if environment is None:
            sys.exit(f"{cls.__name__} is started by LMCache: name its file in plugin_locations")
        sys.exit(cls(**environment).run())

    def run(self) -> int:
        """The exit code: 1 where ``on_startup`` failed."""
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(line_buffering=True)  # what is printed is logged at once
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _stop)
        threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
        try:
            self.on_startup()
            if type(self).on_request_complete is not Plugin.on_request_complete:
                self._listen()
        except _Stopped:
            return 0
        except Exception:
            self.log(traceback.format_exc())
            return 1
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            self.on_shutdown()
        return 0

    def _listen(self) -> NoReturn:
        if SOCKET not in os.environ:
            self.log("No request will be heard of: vLLM's connector is not LMCacheConnectorV1HPU")
        while True:
            for missed, stats in _messages():
                self.missed += missed
                try:
                    self.on_request_complete(stats.request_id, stats)
                except Exception:
                    self.log(traceback.format_exc())
            time.sleep(_LOOK_AGAIN)


class _Stopped(BaseException):
    """The engine wants this process to end. No ``except Exception`` keeps it from that."""


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    raise _Stopped


def _end_with(parent: int) -> None:
    """Stop this process when ``parent`` is gone: who is killed takes no leave of its children.

    It may have gone before it was asked for; then nobody reads what this process prints.
    """
    pipe = select.poll()
    pipe.register(sys.stdout, 0)  # errors are told without being asked for
    while os.getppid() == parent and not pipe.poll(_LOOK_AGAIN * 1000):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _launched() -> dict[str, Any] | None:
    """What the launcher told this process; None where there was no launcher."""
    for prefix in _PREFIXES:
        with suppress(KeyError):
            return {
                "config": json.loads(os.environ[f"{prefix}CONFIG"]),
                "role": os.environ[f"{prefix}ROLE"].rpartition(".")[2].lower(),
                "worker_count": int(os.environ[f"{prefix}WORKER_COUNT"]),
                "worker_id": int(os.environ[f"{prefix}WORKER_ID"]),
            }
    return None


def _messages() -> Iterator[tuple[int, RequestStats]]:
    """What comes until the connection ends; nothing where there is none to be had."""
    name = os.environ.get(SOCKET, "")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        try:
            connection.connect(socket_address(name))
            while message := connection.recv(LONGEST):
                yield decode(message)
        except OSError:
            return
