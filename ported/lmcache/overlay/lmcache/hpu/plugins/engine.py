"""vLLM's server, as a plugin sees it: over HTTP, as every client."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

_PAUSE = 1.0  # seconds between two attempts
_LONGEST = 600.0  # seconds that one request may take

Prompt = str | Sequence[int]


class Refused(Exception):
    """The server understood, and will not: trying again is no use."""


@dataclass(frozen=True)
class Prefetched:
    """``cached_tokens`` is None where the server does not tell.

    It does with ``--enable-prompt-tokens-details``.
    """

    prompt_tokens: int
    cached_tokens: int | None


class Engine:
    """``url`` as in ``http://127.0.0.1:8000``; an empty ``model`` is the first that is served."""

    def __init__(self, url: str, model: str = "", key: str = "") -> None:
        self.url = url.rstrip("/")
        self.patience = 600.0  # seconds
        self._model = model
        self._headers = {"Content-Type": "application/json"}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        self._open = build_opener(ProxyHandler({})).open  # the engine is on this machine

    def model(self) -> str:
        """The model's name. Waits until the server answers.

        Raises TimeoutError where it does not within ``patience``, Refused for a wrong key.
        """
        if not self._model:
            self._model = self._patiently("/v1/models", None)["data"][0]["id"]
        return self._model

    def prefetch(self, prompt: Prompt) -> Prefetched:
        """Have the cache filled with ``prompt``, a text or token ids. Waits as ``model`` does.

        vLLM computes what neither its prefix cache nor LMCache has, and LMCache stores it; that
        takes one token of output. Raises Refused where the server wants no such prompt.
        """
        body = {"model": self.model(), "prompt": prompt, "max_tokens": 1, "temperature": 0}
        usage = self._patiently("/v1/completions", body).get("usage") or {}
        details = usage.get("prompt_tokens_details") or {}
        return Prefetched(usage.get("prompt_tokens", 0), details.get("cached_tokens"))

    def _patiently(self, path: str, body: dict[str, Any] | None) -> Any:
        end = time.monotonic() + self.patience
        while True:
            try:
                return self._answer(path, body)
            except OSError as error:
                if time.monotonic() + _PAUSE > end:
                    raise TimeoutError(
                        f"{self.url} did not serve {path} within {self.patience:g} s: {error}"
                    ) from error
                time.sleep(_PAUSE)

    def _answer(self, path: str, body: dict[str, Any] | None) -> Any:
        """Raises OSError for what may pass."""
        data = None if body is None else json.dumps(body).encode()
        try:
            with self._open(Request(self.url + path, data, self._headers), None, _LONGEST) as reply:
                return json.load(reply)
        except HTTPError as error:
            with error:
                text = error.read().decode(errors="replace")
            if error.code < 500 and error.code not in (408, 429):
                raise Refused(f"{error.code} {text.strip()[:200]}") from error
            raise URLError(f"{error.code} {text.strip()[:200]}") from error
        except HTTPException as error:
            raise URLError(repr(error)) from error
