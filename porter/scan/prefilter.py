"""A cheap look at the bytes of a file: is there anything to parse it for?"""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection, Iterator, Set
from functools import lru_cache

from porter.rulebook import Rulebook
from porter.scan.patterns import PARTS, SHAPES

_WORD = re.compile(r"\w+")
_IMPORT = re.compile(rb"(?:^|[;:])\s*(?:from[\s.]+(?P<source>\w+)|import\s(?P<modules>.*))")
_CONTINUED = re.compile(rb"\\(?:\r\n|\r|\n)")
#: Blanks for all bytes that are in no word; those of other alphabets count as parts of one.
_BLANKED = bytes(
    byte if byte >= 0x80 or _WORD.match(chr(byte)) else ord(" ") for byte in range(0x100)
)
#: Kinds whose names stand in no Python file, or not as they are.
_UNSEEN = frozenset({"dynamic", "requirement"})


class Prefilter:
    """Passes every file that can hold a construct: one that the scanner, or a rule, matches."""

    def __init__(self, book: Rulebook, native: Collection[str]) -> None:
        self._parts = [part for part in sorted(PARTS) if not _is_longer(part)]
        self._packages: set[bytes] = set()
        self._names: dict[bytes, set[frozenset[bytes]]] = {}
        for name in native:
            self._add(name)
        for kind, name in _names(book):
            if kind or "." in name:
                self._add(name)
            else:
                self._packages.add(name.encode())

    def _add(self, name: str) -> None:
        *above, last = _words(name)
        self._names.setdefault(last, set()).add(frozenset(above))

    @classmethod
    def of(cls, book: Rulebook, native: Collection[str]) -> Prefilter:
        """The prefilter for ``native``, the dotted compiled extension modules; made once."""
        return _made(book, frozenset(native))

    def passes(self, path: str, data: bytes) -> bool:
        return any(self.seen(path, data))

    def seen(self, path: str, data: bytes) -> tuple[frozenset[str], frozenset[str]]:
        """The parts of words, and the words, that speak of CUDA and stand in a file."""
        return _seen(self, path, data)

    def parts(self, data: bytes, words: Collection[bytes]) -> Iterator[str]:
        """Those that stand in a file of these ``words``."""
        unique = b" ".join(words)
        for part in self._parts:
            if part.encode() in (unique if part.isidentifier() else data):
                yield part
        for part, shape in SHAPES.items():
            if part.encode() in unique and shape.search(data):
                yield part

    def words(self, path: str, data: bytes, words: Set[bytes]) -> Iterator[str]:
        """The last words of names that a rule matches, where the whole name stands in a file.

        A file may leave out what its path says: ``from . import ops``. The name
        of a package has to be imported: others have modules of that name.
        """
        around = {*_words(path)}
        for last in self._names.keys() & words:
            if any(above <= words | around for above in self._names[last]):
                yield last.decode()
        if packages := self._packages & words:
            for package in packages & {*around, *_imported(data)}:
                yield package.decode()


@lru_cache(maxsize=16)
def _made(book: Rulebook, native: frozenset[str]) -> Prefilter:
    return Prefilter(book, native)


@lru_cache(maxsize=1)
def _seen(prefilter: Prefilter, path: str, data: bytes) -> tuple[frozenset[str], frozenset[str]]:
    """Kept for the file at hand, of which two ask: whether to parse it, and where to look in it."""
    words = {*data.translate(_BLANKED).split()}
    return (
        frozenset(prefilter.parts(data, words)),
        frozenset(prefilter.words(path, data, words)),
    )


def _imported(data: bytes) -> Iterator[bytes]:
    """What may be the first words of imported modules, and some more."""
    text = _CONTINUED.sub(b" ", data.removeprefix(codecs.BOM_UTF8))
    for line in text.splitlines():
        if b"import" in line:
            for match in _IMPORT.finditer(line):
                yield from (match["source"] or match["modules"]).translate(_BLANKED).split()


def _words(name: str) -> list[bytes]:
    return [word.encode() for word in _WORD.findall(name)]


def _is_longer(part: str) -> bool:
    """Whether another part stands in this one."""
    return any(other != part and other in part for other in PARTS)


def _gives_away(name: str) -> bool:
    return any(part in name for part in PARTS) or any(
        shape.search(name.encode()) for shape in SHAPES.values()
    )


def _names(book: Rulebook) -> Iterator[tuple[str, str]]:
    """Kind and name of what rules match in Python files, save what a part of it gives away."""
    for rule in book:
        for pattern in rule.match:
            kind, _, name = pattern.removesuffix(".*").rpartition(":")
            if kind not in _UNSEEN and not _gives_away(name):
                yield kind, name
