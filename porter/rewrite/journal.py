"""The journal of in-place rewriting: ``.porter/<n>/`` holds the originals of run n.

An entry is complete before the first file is touched, and goes when it is
undone. It appears under its number in one step; whatever else lies in
``.porter`` was left behind by a kill and is swept away.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import porter
from porter.errors import PorterError
from porter.rewrite.atomic import sync_folder, write_synced
from porter.rewrite.changes import Change, patch

FOLDER = ".porter"


@dataclass(frozen=True)
class Record:
    """A file, relative to the root, with the SHA-256 of its bytes before and after."""

    path: str
    before: str
    after: str


@dataclass(frozen=True)
class Entry:
    folder: Path
    records: tuple[Record, ...]

    def original(self, record: Record) -> bytes:
        """The bytes before. Raises PorterError where the journal itself is damaged."""
        place = self.folder / "originals" / record.path
        try:
            data = place.read_bytes()
        except OSError as error:
            raise PorterError(f"{place}: cannot be read: {error.strerror}") from error
        if digest(data) != record.before:
            raise PorterError(f"{place}: is not the original any more; nothing was restored")
        return data

    def drop(self) -> None:
        """Forget the entry, and the journal with its last one."""
        journal = self.folder.parent
        self.folder.rename(journal / f"dropped-{self.folder.name}")
        _tidy(journal)


def write_entry(root: Path, changed: Iterable[Change]) -> Entry:
    """Store the originals of ``changed``, durably. Raises PorterError and leaves no trace."""
    changed = tuple(changed)
    journal = root / FOLDER
    records = tuple(Record(item.path, digest(item.before), digest(item.after)) for item in changed)
    try:
        journal.mkdir(mode=0o700, exist_ok=True)
        (journal / ".gitignore").write_text("*\n", encoding="ascii")
        _sweep(journal)
        number = max(_numbers(journal), default=0) + 1
        draft = journal / f"draft-{number}"
        _fill(draft, changed, records)
        folder = journal / str(number)
        draft.rename(folder)
        sync_folder(journal)
    except BaseException as error:
        _tidy(journal)
        if isinstance(error, OSError):
            raise PorterError(
                f"{journal}: the journal cannot be written: {error.strerror}; "
                "every file is as it was"
            ) from error
        raise
    return Entry(folder, records)


def last_entry(root: Path) -> Entry:
    """The entry of the last run. Raises PorterError where there is none, or it is damaged."""
    journal = root / FOLDER
    number = max(_numbers(journal), default=None)
    if number is None:
        raise PorterError(f"{root}: nothing to undo: no `porter rewrite --write` ran here")
    manifest = journal / str(number) / "manifest.json"
    try:
        document = json.loads(manifest.read_bytes())
        records = tuple(Record(**row) for row in document["files"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise PorterError(f"{manifest}: not a journal of porter: {error}") from error
    for record in records:
        if not (root / record.path).resolve().is_relative_to(root.resolve()):
            raise PorterError(f"{manifest}: {record.path} leads out of the folder")
    return Entry(manifest.parent, records)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _fill(draft: Path, changed: Iterable[Change], records: Iterable[Record]) -> None:
    draft.mkdir()
    for item in changed:
        place = draft / "originals" / item.path
        place.parent.mkdir(parents=True, exist_ok=True)
        write_synced(place, item.before)
    write_synced(draft / "changes.patch", patch(changed))
    manifest = {"porter": porter.__version__, "files": [asdict(record) for record in records]}
    write_synced(draft / "manifest.json", json.dumps(manifest, indent=1).encode())
    sync_folder(draft)


def _numbers(journal: Path) -> list[int]:
    if not journal.is_dir():
        return []
    return [int(entry.name) for entry in journal.iterdir() if entry.name.isdecimal()]


def _sweep(journal: Path) -> None:
    for entry in journal.iterdir():
        if entry.is_dir() and not entry.name.isdecimal():
            shutil.rmtree(entry)


def _tidy(journal: Path) -> None:
    """Sweep, and remove a journal without an entry."""
    if journal.is_dir():
        _sweep(journal)
        if not _numbers(journal):
            shutil.rmtree(journal)
