"""What vLLM runs of this package in each of its processes: it learns the connector's names.

``register`` is an entry point of ``vllm.general_plugins``. Where ``VLLM_PLUGINS`` lists the
plugins to load, ``lmcache_hpu`` has to be one of them.
"""

from __future__ import annotations

from contextlib import suppress

from lmcache.hpu.presence import has_bridge, require_bridge
from lmcache.hpu.tracking import track_models

_MODULE = "lmcache.integration.vllm.lmcache_connector_hpu"
_CLASS = "LMCacheConnectorV1HPU"
NAMES = (_CLASS, "lmcache")


def register() -> None:
    """Make vLLM know the connector, and LMCache the models. A second call changes nothing."""
    from vllm.distributed.kv_transfer.kv_connector.factory import (  # noqa: PLC0415
        KVConnectorFactory,
    )

    if has_bridge():
        with suppress(ImportError):  # a vLLM without that loader
            track_models()
    for name in NAMES:
        with suppress(ValueError):  # vLLM's answer to a name that it knows
            KVConnectorFactory.register_connector(name, _MODULE, _CLASS)
    if not has_bridge():
        # vLLM's own connectors load LMCache, too, and would end in an ImportError of the bridge.
        loaders = KVConnectorFactory._registry
        loaders.update((name, require_bridge) for name in list(loaders) if "LMCache" in name)
