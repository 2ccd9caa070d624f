"""A cheap look at the bytes of a file: is there anything to parse it for?"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import lru_cache

from porter.rulebook import Rulebook
from porter.scan.patterns import NUMBERED, PARTS

_WORD = re.compile(r"\w+")
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
        self._names: dict[bytes, set[frozenset[bytes]]] = {}
        for name in (*native, *_names(book)):
            *above, last = _words(name)
            self._names.setdefault(last, set()).add(frozenset(above))

    @classmethod
    def of(cls, book: Rulebook, native: Collection[str]) -> Prefilter:
        """The prefilter for ``native``, the dotted compiled extension modules; made once."""
        return _made(book, frozenset(native))

    def passes(self, path: str, data: bytes) -> bool:
        return any(self.parts(data)) or any(self.words(path, data))

    def parts(self, data: bytes) -> Iterator[str]:
        """Parts of words that speak of CUDA, of those that stand in a file."""
        for part in self._parts:
            if part.encode() in data:
                yield part
        if b"gpu" in data and NUMBERED.search(data.decode(errors="replace")):
            yield "gpu"

    def words(self, path: str, data: bytes) -> Iterator[str]:
        """The last words of names that a rule matches, where the whole name stands in a file.

        A file may leave out what its path says: ``from . import ops``.
        """
        words = {*data.translate(_BLANKED).split()}
        for last in self._names.keys() & words:
            known = words.union(_words(path))
            if any(above <= known for above in self._names[last]):
                yield last.decode()


@lru_cache(maxsize=16)
def _made(book: Rulebook, native: frozenset[str]) -> Prefilter:
    return Prefilter(book, native)


def _words(name: str) -> list[bytes]:
    return [word.encode() for word in _WORD.findall(name)]


def _is_longer(part: str) -> bool:
    """Whether another part stands in this one."""
    return any(other != part and other in part for other in PARTS)


def _names(book: Rulebook) -> Iterator[str]:
    """What the rules match in Python files, except what a part of its text gives away."""
    for rule in book:
        for pattern in rule.match:
            kind, _, name = pattern.removesuffix(".*").rpartition(":")
            if kind not in _UNSEEN and not any(part in name for part in PARTS):
                yield name
