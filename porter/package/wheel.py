"""Write a wheel whose bytes depend on nothing but its contents.

The ``wheel`` library stamps the RECORD that it adds with the current time unless
the environment says otherwise, and leaves the level of compression open; all that
it would save is the hashing below.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import stat
import time
from base64 import urlsafe_b64encode
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from porter import __version__
from porter.errors import PorterError

DESCRIPTION = (
    "Wheel-Version: 1.0\n"
    f"Generator: porter {__version__}\n"
    "Root-Is-Purelib: true\n"
    "Tag: py3-none-any\n"
)
_LEVEL = 6
#: The first second that a zip file can express: 1980-01-01, in seconds since the epoch.
_EARLIEST = 315532800


def write_wheel(
    path: Path, files: Mapping[str, bytes], info: str, executable: Collection[str] = ()
) -> None:
    """Write ``files`` and their RECORD to ``path``; ``info`` is the name of the .dist-info folder.

    The same contents give the same bytes with the same zlib: entries are sorted, the folder
    ``info`` last as the format advises; they carry the time of SOURCE_DATE_EPOCH, or else
    1980, and the mode 755 for those in ``executable``, 644 for the others.
    """
    stamp = _timestamp()
    record = f"{info}/RECORD"
    names = sorted(files, key=lambda name: (name.startswith(f"{info}/"), name))
    with ZipFile(path, "w", ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
        for name in names:
            archive.writestr(_entry(name, stamp, name in executable), files[name])
        rows = record_rows((name, files[name]) for name in names)
        archive.writestr(_entry(record, stamp), f"{rows}{record},,\n")


def record_rows(files: Iterable[tuple[str, bytes]]) -> str:
    """The lines of a RECORD for files, by their names in it."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerows((name, record_digest(data), len(data)) for name, data in files)
    return text.getvalue()


def record_digest(data: bytes) -> str:
    """The SHA-256 of a file as a RECORD spells it."""
    return f"sha256={urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()}"


def _entry(name: str, stamp: tuple[int, ...], executable: bool = False) -> ZipInfo:
    entry = ZipInfo(name, stamp)  # type: ignore[arg-type]
    entry.create_system = 3
    entry.external_attr = (stat.S_IFREG | (0o755 if executable else 0o644)) << 16
    entry.compress_type = ZIP_DEFLATED
    return entry


def _timestamp() -> tuple[int, ...]:
    text = os.environ.get("SOURCE_DATE_EPOCH", str(_EARLIEST))
    try:
        return time.gmtime(max(int(text), _EARLIEST))[:6]
    except (ValueError, OverflowError, OSError):
        raise PorterError(f"SOURCE_DATE_EPOCH is no number of seconds: {text!r}") from None
