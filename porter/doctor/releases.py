"""Which releases were made for each other: ``releases.toml``."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from packaging.version import Version

from porter.table import Table
from porter.toml import read_toml

_FILE = Path(__file__).with_name("releases.toml")


def supported_software(vllm: Version) -> tuple[str, ...]:
    """Releases of Gaudi's software that ``vllm`` is supported with; none: not listed."""
    gaudi = _table().table("gaudi")
    return gaudi.texts(vllm.base_version) if gaudi.has(vllm.base_version) else ()


def broken_beside(lmcache: Version, vllm: Version) -> Iterator[str]:
    """Why ``lmcache`` does not work beside ``vllm``; nothing where no reason is known."""
    for row in _table().rows("lmcache"):
        release = Version(lmcache.public)
        if release in row.specifier("releases") and Version(vllm.public) in row.specifier("vllm"):
            yield row.text("why")


@cache
def _table() -> Table:
    return Table(read_toml(_FILE), _FILE.name)
