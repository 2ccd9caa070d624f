"""Classes of ours that upstream's code has to take for its own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

from lmcache.v1.gpu_connector import GPUConnectorInterface

Connector = TypeVar("Connector", bound=type)


def taken_for(name: str) -> Callable[[Connector], Connector]:
    """``isinstance`` finds the class below upstream's of that name; its engine asks for it."""

    def registered(connector: Connector) -> Connector:
        # Where the interface is, which depends on the release, the connectors are, if it has them.
        module = sys.modules.get(GPUConnectorInterface.__module__)
        upstream = getattr(module, name, None)
        if upstream is not None:
            upstream.register(connector)
        return connector

    return registered
