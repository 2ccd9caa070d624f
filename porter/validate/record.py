"""A wheel that is consistent in itself: RECORD and tags say what is there."""

from __future__ import annotations

import base64
import csv
import hashlib
from collections.abc import Collection, Iterator

from porter.sources.tree import SourceTree
from porter.validate.rung import Failure

_CURE = "build the wheel again"
#: Signatures are made after RECORD, and RECORD cannot hold its own hash.
_UNRECORDED = ("RECORD", "RECORD.jws", "RECORD.p7s")


def record_failures(tree: SourceTree, dist_info: str, files: Collection[str]) -> Iterator[Failure]:
    """Files that RECORD lacks, or lists wrongly or in vain."""
    record = f"{dist_info}/RECORD"
    if record not in files:
        yield Failure(record, 1, "the wheel has no RECORD", _CURE)
        return
    exempt = {f"{dist_info}/{name}" for name in _UNRECORDED}
    missing = set(files) - exempt
    rows = csv.reader(tree.read(record).decode(errors="replace").splitlines())
    for path, digest, size in ((*row, "", "")[:3] for row in rows if row):
        missing.discard(path)
        what = None if path in exempt else _mismatch(tree, path, digest, size)
        if what is not None:
            yield Failure(record, rows.line_num, f"{path} {what}", _CURE)
    for path in sorted(missing):
        yield Failure(record, 1, f"{path} is not listed", _CURE)


def tag_failures(
    tree: SourceTree, dist_info: str, files: Collection[str], compiled: Collection[str]
) -> Iterator[Failure]:
    """A tag that promises a pure wheel where there are compiled files."""
    path = f"{dist_info}/WHEEL"
    if path not in files:
        yield Failure(path, 1, "the wheel has no WHEEL file", _CURE)
        return
    for number, line in enumerate(tree.read(path).decode(errors="replace").splitlines(), start=1):
        if compiled and line.lower().startswith("tag:") and line.strip().endswith("-none-any"):
            tag = line.partition(":")[2].strip()
            what = f"tag {tag}, but {next(iter(compiled))} is compiled"
            yield Failure(path, number, what, "drop the compiled files, or tag the platform")


def _mismatch(tree: SourceTree, path: str, digest: str, size: str) -> str | None:
    if path.startswith("/") or ".." in path.split("/"):
        return "lies outside the wheel"
    file = tree.root / path
    if not file.is_file():
        return "is listed, but not there"
    data = file.read_bytes()
    algorithm, _, expected = digest.partition("=")
    if algorithm not in ("sha256", "sha384", "sha512"):
        return "is listed without a hash"
    actual = base64.urlsafe_b64encode(hashlib.new(algorithm, data).digest()).decode().rstrip("=")
    if actual != expected:
        return "has another hash"
    return None if size == str(len(data)) else f"has {len(data)} bytes, not {size or 'none'}"
