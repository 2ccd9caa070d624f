"""Fill the cache with the prompts of a file, once, as soon as vLLM serves.

``hpu_warmup_prompts`` names the file. One of the name ``*.jsonl`` has a JSON string or a list of
token ids a line, any other a text a line. ``hpu_warmup_timeout`` are the seconds to wait for vLLM.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from lmcache.hpu.plugins.base import Plugin
from lmcache.hpu.plugins.engine import Prefetched, Prompt, Refused


class CacheWarmup(Plugin):
    def on_startup(self) -> None:
        name = self.setting("warmup_prompts", "")
        if not name:
            self.log("warm-up: nothing to do: set hpu_warmup_prompts to a file of prompts")
            return
        try:
            self._warm_up(Path(name))
        except (OSError, ValueError, Refused) as error:
            sys.exit(f"warm-up: {error}")

    def _warm_up(self, file: Path) -> None:
        """Raises ValueError or OSError for a file that is of no use, TimeoutError without vLLM."""
        prompts = list(dict.fromkeys(read_prompts(file)))
        self.engine.patience = self.setting("warmup_timeout", 600.0)
        self.log(f"warm-up: {len(prompts)} prompts of {file} for {self.engine.model()}")
        start = time.monotonic()
        done = list(self._fetched(prompts))
        self.log(f"{_account(done, len(prompts))} in {time.monotonic() - start:.1f} s")

    def _fetched(self, prompts: list[Prompt]) -> Iterator[Prefetched]:
        for number, prompt in enumerate(prompts, 1):
            try:
                yield self.engine.prefetch(prompt)
            except Refused as error:
                self.log(f"warm-up: prompt {number} was refused: {error}")


def read_prompts(path: Path) -> Iterator[Prompt]:
    """Raises ValueError, which names the line, for one that is no prompt."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip():
            yield _prompt(line, f"{path}:{number}") if path.suffix == ".jsonl" else line


def _prompt(line: str, place: str) -> Prompt:
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"{place}: not JSON: {error}") from None
    if isinstance(value, str) and value:
        return value
    if isinstance(value, list) and value and all(type(token) is int for token in value):
        return tuple(value)
    raise ValueError(f"{place}: a prompt is a string or a list of token ids, and not empty")


def _account(done: list[Prefetched], wanted: int) -> str:
    tokens = sum(item.prompt_tokens for item in done)
    text = f"warm-up: {len(done)} of {wanted} prompts, {tokens} tokens"
    if done and all(item.cached_tokens is not None for item in done):
        text += f", {sum(item.cached_tokens or 0 for item in done)} of them cached already,"
    return text


if __name__ == "__main__":
    CacheWarmup.main()
