"""What a plugin is told of a request that is done, and the socket that it is told through.

A sequenced-packet socket in Linux' abstract namespace: a message arrives whole or not at all, and
no file is left behind by whoever dies.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from hashlib import sha256

#: The environment variable that names the socket, for the plugins that this process launches.
SOCKET = "LMCACHE_HPU_PLUGIN_SOCKET"

#: Bytes that a message may have. vLLM's request ids are far shorter.
LONGEST = 1 << 16


@dataclass(frozen=True)
class RequestStats:
    """Tokens are counted once: the prompt has ``cached_tokens`` that nobody had to compute.

    ``loaded_tokens`` of them came from LMCache, ``prefix_tokens`` from vLLM's own prefix cache.
    ``finish_reason`` is vLLM's: stop, length, abort and so on. ``seconds`` count from the arrival.
    """

    request_id: str
    prompt_tokens: int
    output_tokens: int
    prefix_tokens: int
    loaded_tokens: int
    finish_reason: str
    seconds: float

    @property
    def cached_tokens(self) -> int:
        return self.prefix_tokens + self.loaded_tokens

    @property
    def cache_hit(self) -> bool:
        """Whether LMCache had something of the prompt."""
        return self.loaded_tokens > 0


def socket_name(engine_id: str) -> str:
    """One name in every process of an engine: all of them know its id, whoever starts first."""
    return f"lmcache-hpu-{sha256(engine_id.encode()).hexdigest()[:32]}"


def socket_address(name: str) -> str:
    """A leading NUL is what makes the name abstract; an environment variable cannot hold it."""
    return f"\0{name}"


def encode(missed: int, stats: RequestStats) -> bytes:
    """A message; ``missed`` counts the requests before it that the plugin was too slow for."""
    return json.dumps([missed, asdict(stats)]).encode()


def decode(message: bytes) -> tuple[int, RequestStats]:
    missed, fields = json.loads(message)
    return missed, RequestStats(**fields)
