"""A distribution that is installed in an environment, as its ``.dist-info`` tells."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import Distribution as Installed
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from porter.package.wheel import record_digest


@dataclass(frozen=True)
class Row:
    """One line of a RECORD; ``digest`` is empty where it has none."""

    path: Path
    digest: str


@dataclass(frozen=True)
class Distribution:
    """``info`` is its ``.dist-info`` folder, or whatever older tools left in the place of one."""

    name: str
    version: str
    requires: tuple[Requirement, ...]
    info: Path

    @classmethod
    def of(cls, installed: Installed) -> Distribution | None:
        """None for a folder that names no project: what a crash leaves behind."""
        name = installed.metadata["Name"]
        if not name:
            return None
        return cls(
            name=canonicalize_name(name),
            version=installed.metadata["Version"] or "",
            requires=tuple(parse_requirements(installed.requires or ())),
            # No public name tells where a distribution lies.
            info=Path(getattr(installed, "_path")),  # noqa: B009
        )

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def root(self) -> Path:
        """The folder that the paths of its RECORD start in."""
        return self.info.parent

    @property
    def has_record(self) -> bool:
        return self.info.suffix == ".dist-info" and (self.info / "RECORD").is_file()

    @property
    def is_ported(self) -> bool:
        return all((self.info / name).is_file() for name in PORTED)

    @property
    def is_editable(self) -> bool:
        with suppress(OSError, ValueError):
            url = json.loads((self.info / "direct_url.json").read_text())
            return bool(url.get("dir_info", {}).get("editable"))
        return False

    def rows(self) -> Iterator[Row]:
        with (self.info / "RECORD").open(newline="", encoding="utf-8") as file:
            for row in csv.reader(file):
                if row:
                    yield Row(self.root / row[0], row[1] if len(row) > 1 else "")

    def files(self) -> list[Path]:
        """Those of the RECORD that are there, and the bytecode of its modules."""
        found: dict[Path, None] = {}
        for row in self.rows():
            for path in (row.path, *bytecode(row.path)):
                if path.is_symlink() or path.is_file():
                    found[path] = None
        return list(found)

    def damaged(self) -> Iterator[Path]:
        """The files that are missing, or other than the RECORD says."""
        for row in self.rows():
            if row.digest and not _is_as(row):
                yield row.path


#: What a ported wheel has in its ``.dist-info``.
PORTED = ("PORTED.md", "porter/remaining.json")


def parse_requirements(texts: tuple[str, ...] | list[str]) -> Iterator[Requirement]:
    """Those that can be parsed."""
    for text in texts:
        with suppress(InvalidRequirement):
            yield Requirement(text)


def bytecode(module: Path) -> Iterator[Path]:
    if module.suffix == ".py":
        yield from module.parent.glob(f"__pycache__/{module.stem}.*.pyc")


def _is_as(row: Row) -> bool:
    return row.path.is_file() and row.digest == record_digest(row.path.read_bytes())
