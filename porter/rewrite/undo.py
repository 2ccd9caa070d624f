"""Put back what the last in-place rewriting replaced."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from porter.errors import PorterError
from porter.rewrite.atomic import Contents, replace_files, require_writable, staging_path
from porter.rewrite.journal import Entry, Record, digest, last_entry
from porter.rewrite.lock import locked
from porter.wording import first_few


@dataclass(frozen=True)
class Undone:
    """The files that were put back; ``untouched`` counts those that had not been replaced."""

    files: tuple[str, ...]
    untouched: int


def undo(root: Path, *, force: bool = False) -> Undone:
    """Restore the originals of the last journal entry below ``root`` and drop the entry.

    Raises PorterError, and restores nothing, where there is no entry, a file
    was edited since, or another porter is writing there; ``force`` overwrites such edits.
    """
    with locked(root):
        return _undo(root, force)


def _undo(root: Path, force: bool) -> Undone:
    entry = last_entry(root)
    current = {record: _read(root / record.path) for record in entry.records}
    replaced = [
        record for record, data in current.items() if data is None or digest(data) != record.before
    ]
    edited = [record for record in replaced if not _is_ours(record, current[record])]
    if edited and not force:
        raise PorterError(_refusal(root, edited))
    contents = {
        root / record.path: Contents(current[record], entry.original(record)) for record in replaced
    }
    require_writable(contents, cure="make it writable")
    for path in contents:
        path.parent.mkdir(parents=True, exist_ok=True)
    replace_files(contents, repair="`porter undo` again once the cause is gone")
    _remove_leftovers(root, entry)
    entry.drop()
    return Undone(tuple(record.path for record in replaced), len(current) - len(replaced))


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _is_ours(record: Record, data: bytes | None) -> bool:
    return data is not None and digest(data) == record.after


def _refusal(root: Path, edited: Iterable[Record]) -> str:
    paths = first_few([str(root / record.path) for record in edited])
    return (
        f"{paths}: edited since porter wrote it; nothing was restored; "
        "--force restores the original and loses the edit"
    )


def _remove_leftovers(root: Path, entry: Entry) -> None:
    """New contents that a kill left waiting beside their files."""
    for record in entry.records:
        staging_path(root / record.path).unlink(missing_ok=True)
