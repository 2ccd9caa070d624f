"""The findings of files that were analysed before, in one SQLite file of the user's cache.

An entry is found by all that its findings depend on: the file's path and bytes, the rules, the
options, the names of the compiled modules around it, and porter's own code. Nothing here fails:
what cannot be read, is damaged or is locked is a miss, and the file is analysed.
"""

from __future__ import annotations

import json
import platform
import sqlite3
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, fields, is_dataclass
from enum import Enum
from functools import cache
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from porter import __version__
from porter.codemods.options import Options
from porter.findings import FileResult
from porter.rulebook import Rulebook

#: Bytes of the file; the findings of a tree like vLLM's take about two million.
LIMIT = 100_000_000
_NAME = "findings.sqlite"
_TABLE = "CREATE TABLE IF NOT EXISTS entry (key BLOB PRIMARY KEY, value BLOB, day INTEGER) \
WITHOUT ROWID"
#: Seconds that another porter may take to write.
_PATIENCE = 2.0
#: What a statement may have of parameters, on any SQLite.
_AT_ONCE = 500
_PROGRAM = (".", "codemods", "codemods/families", "rulebook", "scan", "sources")
_LIBRARIES = ("libcst", "packaging")
_CHECK = 16


def context_of(book: Rulebook, options: Options, native: Collection[str]) -> bytes:
    """Stands for all that the findings of a file depend on, besides the file itself."""
    told = json.dumps([asdict(options), sorted(native)], sort_keys=True, default=_told)
    return _digest(_program(), book.fingerprint, told.encode())


def _told(value: object) -> object:
    """Sets have no order of their own."""
    return sorted(value) if isinstance(value, (set, frozenset)) else repr(value)


def key_of(context: bytes, path: str, digest: str) -> bytes:
    """Of the file ``path`` by the SHA-256 of its bytes."""
    return _digest(context, path.encode(errors="surrogatepass"), digest.encode())


class FindingsCache:
    """Several processes may use the same ``folder``, which is made when something is stored."""

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        self._folder = folder
        self._limit = limit
        self._old: list[bytes] = []

    def load(self, keys: Sequence[bytes]) -> dict[bytes, FileResult]:
        """The results that are there and whole."""
        found: dict[bytes, FileResult] = {}
        if not (self._folder / _NAME).is_file():
            return found
        with self._forgiving(), closing(self._connect()) as connection:
            for key, value, day in _rows(connection, keys):
                body = value[_CHECK:]
                if value[:_CHECK] == _digest(key, body)[:_CHECK]:
                    found[key] = _decoder(FileResult)(json.loads(body))
                    if day != _today():
                        self._old.append(key)
        return found

    def store(self, results: Mapping[bytes, FileResult]) -> None:
        """Keep ``results``, and what was loaded; of the rest the oldest goes where it is much."""
        if not (results or self._old):
            return
        rows = [(key, _encoded(key, result), _today()) for key, result in results.items()]
        with self._forgiving():
            self._folder.mkdir(parents=True, exist_ok=True)
        with self._forgiving(), closing(self._connect()) as connection:
            with connection:
                connection.execute(_TABLE)
                connection.executemany("INSERT OR REPLACE INTO entry VALUES (?, ?, ?)", rows)
                connection.executemany(
                    "UPDATE entry SET day = ? WHERE key = ?",
                    [(_today(), key) for key in self._old],
                )
            self._old.clear()
            self._shrink(connection)

    def _shrink(self, connection: sqlite3.Connection) -> None:
        """Let go of what was not used today, and of everything where that is not enough."""
        for condition in (f"day < {_today()}", "1"):
            ((pages,),) = connection.execute("PRAGMA page_count")
            ((size,),) = connection.execute("PRAGMA page_size")
            if pages * size <= self._limit:
                return
            with connection:
                connection.execute(f"DELETE FROM entry WHERE {condition}")
            connection.execute("VACUUM")

    def _connect(self) -> sqlite3.Connection:
        """For a short time: a connection does not survive the fork of a worker."""
        connection = sqlite3.connect(self._folder / _NAME, timeout=_PATIENCE)
        connection.execute("PRAGMA synchronous = OFF")
        return connection

    @contextmanager
    def _forgiving(self) -> Iterator[None]:
        """What is damaged is removed, so that it is of use again next time."""
        try:
            yield
        except (OSError, sqlite3.OperationalError):  # locked, read-only, no room, not our table
            return
        except (sqlite3.DatabaseError, ValueError):
            with suppress(OSError):
                (self._folder / _NAME).unlink()


def _rows(
    connection: sqlite3.Connection, keys: Sequence[bytes]
) -> Iterator[tuple[bytes, bytes, int]]:
    for start in range(0, len(keys), _AT_ONCE):
        some = keys[start : start + _AT_ONCE]
        marks = ",".join("?" * len(some))
        yield from connection.execute(
            f"SELECT key, value, day FROM entry WHERE key IN ({marks})", some
        )


def _today() -> int:
    return int(time.time() // 86_400)


@cache
def _program() -> bytes:
    """The code that finds and decides, and what it rests on: a release does not tell a clone's."""
    package = Path(__file__).parent.parent
    sources = (path for place in _PROGRAM for path in sorted((package / place).glob("*.py")))
    libraries = [f"{name} {_version(name)}" for name in _LIBRARIES]
    about = [__version__, platform.python_implementation(), platform.python_version(), *libraries]
    return _digest(*map(str.encode, about), *(path.read_bytes() for path in sources))


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return ""


def _digest(*parts: bytes) -> bytes:
    digest = blake2b(digest_size=32)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()


# A dataclass is the list of its fields.


def _encoded(key: bytes, result: FileResult) -> bytes:
    body = json.dumps(result, default=_values, separators=(",", ":")).encode()
    return _digest(key, body)[:_CHECK] + body


def _values(item: Any) -> list[Any]:
    return [getattr(item, field.name) for field in fields(item)]


@cache
def _decoder(kind: Any) -> Callable[[Any], Any]:
    """From what JSON says to a value of type ``kind``, as the fields of results have."""
    if is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        parts = [_decoder(hints[field.name]) for field in fields(kind)]
        changed = [(place, part) for place, part in enumerate(parts) if part is not _same]

        def decode(values: list[Any]) -> Any:
            for place, part in changed:
                values[place] = part(values[place])
            return kind(*values)

        return decode
    if get_origin(kind) is tuple:
        inner = _decoder(get_args(kind)[0])
        return lambda values: tuple(map(inner, values))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    return _same


def _same(value: Any) -> Any:
    return value
