"""LMCache's internal API server, one in each process of the engine that runs LMCache."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from typing import Any

_TIMEOUT = 2.0  # seconds
_ANY = ("0.0.0.0", "::", "")


def offset(worker_id: int) -> int:
    """What LMCache adds to its first port in this process: 0 in the scheduler."""
    return 1 + worker_id


class InternalApi:
    """The server of the process with that ``worker_id``, as LMCache's ``config`` describes it."""

    def __init__(self, config: Mapping[str, Any], worker_id: int) -> None:
        index = offset(worker_id)
        wanted = config.get("internal_api_server_include_index_list")
        self.enabled = bool(config.get("internal_api_server_enabled")) and (
            not wanted or index in wanted
        )
        self._host = config.get("internal_api_server_host") or ""
        self._port = config.get("internal_api_server_port_start", 6999) + index
        prefix = config.get("internal_api_server_socket_path_prefix")
        self._socket = f"{prefix}_{self._port}" if prefix else None

    def metrics(self) -> str:
        """In Prometheus' text format. Raises OSError where the server does not give them."""
        host = "127.0.0.1" if self._host in _ANY else self._host
        connection = HTTPConnection(host, self._port, timeout=_TIMEOUT)
        if self._socket:
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.settimeout(_TIMEOUT)
        try:
            if self._socket:
                connection.sock.connect(self._socket)
            connection.request("GET", "/metrics")
            answer = connection.getresponse()
            text = answer.read().decode()
        except HTTPException as error:
            raise ConnectionError(repr(error)) from error
        finally:
            connection.close()
        if answer.status != 200:
            raise ConnectionError(f"/metrics: {answer.status} {answer.reason}")
        return text
