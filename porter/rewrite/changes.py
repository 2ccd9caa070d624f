"""From edits of text to bytes of files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from porter.errors import PorterError
from porter.findings import Edit, FileResult, Result, apply_edits
from porter.report.patch import unified_patch
from porter.sources.text import SourceText
from porter.sources.tree import SourceTree


@dataclass(frozen=True)
class Change:
    """One file, relative to the root of its tree, with its bytes before and after."""

    path: str
    before: bytes
    after: bytes


def changes(tree: SourceTree, result: Result) -> tuple[Change, ...]:
    """The files that the edits of ``result`` change, in its order; nothing is written.

    Raises PorterError where a file changed since it was read, or a replacement has
    no place in the encoding of its file.
    """
    edited = (_change(tree, file) for file in result.files if file.edits)
    return tuple(change for change in edited if change.before != change.after)


def edited(path: str, data: bytes, edits: Iterable[Edit]) -> bytes:
    """The bytes of a file after ``edits``, in its encoding.

    Raises PorterError where that has no place for a replacement.
    """
    source = SourceText.decode(data)
    try:
        return source.encode(apply_edits(source.text, edits))
    except UnicodeEncodeError as error:
        unfit = error.object[error.start : error.end]
        raise PorterError(
            f"{path}: its encoding {source.encoding} has no {unfit!r}, which the rewriting "
            "needs; store the file as UTF-8 first"
        ) from error


def patch(changed: Iterable[Change]) -> bytes:
    """All changes as one unified patch."""
    return b"".join(unified_patch(item.path, item.before, item.after) for item in changed)


def _change(tree: SourceTree, file: FileResult) -> Change:
    before = tree.read(file.path)
    if file.digest and sha256(before).hexdigest() != file.digest:
        raise PorterError(f"{file.path}: changed while porter was reading it; run porter again")
    return Change(file.path, before, edited(file.path, before, file.edits))
