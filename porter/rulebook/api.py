"""The versioned table of what exists under ``torch.hpu`` and ``habana_frameworks``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from porter.table import Table
from porter.toml import read_toml

_ROOTS = ("torch.hpu", "habana_frameworks")


@dataclass(frozen=True)
class ApiTable:
    """Names of one release of the bridge with their signatures, as Python would print them."""

    version: str
    signatures: dict[str, str]
    lazy_only: frozenset[str]

    @classmethod
    def load(cls, path: Path) -> ApiTable:
        """Raises PorterError that names the file, the place and the cure for anything amiss."""
        table = Table(read_toml(path), str(path)).only("version", "lazy_only", "names")
        return cls(
            version=str(table.version("version")),
            signatures=table.table("names").strings(),
            lazy_only=frozenset(table.texts("lazy_only")),
        )

    def covers(self, name: str) -> bool:
        """Whether this table is the one that decides about ``name``."""
        return name in _ROOTS or name.startswith(tuple(f"{root}." for root in _ROOTS))

    def has(self, name: str) -> bool:
        return name in self.signatures

    def missing(self, names: Iterable[str]) -> list[str]:
        """Those of ``names`` that the table decides about and does not have."""
        return [name for name in names if self.covers(name) and not self.has(name)]
