"""What a ported distribution has taken the place of, kept inside it: ``porter/replaced.json``."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from porter.errors import PorterError
from porter.install.distribution import Distribution
from porter.package.wheel import record_rows
from porter.report.json import dumps

_SCHEMA_VERSION = 1
_NOTE = "porter/replaced.json"
_ARCHIVE = "porter/replaced.tar.gz"


@dataclass(frozen=True)
class Replaced:
    """``version`` is None where nothing was there, and then there is no archive."""

    version: str | None
    sha256: str | None

    @classmethod
    def of(cls, ported: Distribution) -> Replaced | None:
        """None where porter did not install it, or another tool has since.

        Raises PorterError where the file is damaged.
        """
        path = ported.info / _NOTE
        if not path.is_file():
            return None
        try:
            document = json.loads(path.read_bytes())
            if document["schema_version"] != _SCHEMA_VERSION:
                raise ValueError("of another porter's version")
            return cls(document["version"], document["sha256"])
        except (ValueError, KeyError, TypeError) as error:
            raise PorterError(f"{path}: cannot be read: {error}") from error

    @classmethod
    def keep(cls, ported: Distribution, version: str | None, archive: Path | None) -> Replaced:
        """Write it into ``ported``, so that whatever removes that removes this as well."""
        kept = archive_of(ported)
        if archive is not None:
            kept.parent.mkdir(exist_ok=True)
            kept.write_bytes(archive.read_bytes())
        replaced = cls(version, None if archive is None else _sha256(kept))
        note = ported.info / _NOTE
        note.write_text(dumps({"schema_version": _SCHEMA_VERSION, **asdict(replaced)}))
        _record(ported, [note] if archive is None else [note, kept])
        return replaced

    def require_whole(self, ported: Distribution) -> None:
        """Raises PorterError where the archive is not the one that was kept."""
        path = archive_of(ported)
        if self.sha256 is not None and (not path.is_file() or _sha256(path) != self.sha256):
            raise PorterError(f"{path}: damaged or missing, so {self.version} cannot be put back")


def archive_of(ported: Distribution) -> Path:
    return ported.info / _ARCHIVE


def _sha256(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def _record(ported: Distribution, paths: list[Path]) -> None:
    record = ported.info / "RECORD"
    rows = record_rows(
        (path.relative_to(ported.root).as_posix(), path.read_bytes()) for path in paths
    )
    staged = record.with_name(".RECORD.porter-new")
    staged.write_text(record.read_text(encoding="utf-8") + rows, encoding="utf-8")
    staged.replace(record)
