"""A fixed number of bits: which keys of a request were found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import compress
from operator import index
from typing import TypeVar

Item = TypeVar("Item")
Places = set[int]  # the class has a method of the name

_DIGITS = bytes.maketrans(b"\0\1", b"01")


class Bitmap:
    """``size`` bits, the first ``prefix_bits`` of them set.

    ``bits`` has a byte for each, 0 or 1: every method is then one operation of a bytearray,
    which other threads never see half done. Bits beyond the size are clear and stay so.
    """

    __slots__ = ("bits",)

    def __init__(self, size: int, prefix_bits: int = 0) -> None:
        self.bits = bytearray(natural(size))
        self.set_range(0, prefix_bits)

    @classmethod
    def of(cls, bits: Iterable[int]) -> Bitmap:
        """A bitmap of these bits, each 0 or 1."""
        bitmap = cls(0)
        bitmap.bits = bytearray(bits)
        return bitmap

    def set(self, index: int) -> None:
        if natural(index) < len(self.bits):
            self.bits[index] = 1

    def batched_set(self, indices: Sequence[int]) -> None:
        for bit in indices:
            self.set(bit)

    def set_range(self, start: int, end: int) -> None:
        """Set the bits from ``start`` up to, and without, ``end``."""
        count = min(natural(end), len(self.bits)) - natural(start)
        if count > 0:
            self.bits[start : start + count] = b"\1" * count

    def clear(self, index: int) -> None:
        if natural(index) < len(self.bits):
            self.bits[index] = 0

    def test(self, index: int) -> bool:
        return natural(index) < len(self.bits) and self.bits[index] == 1

    def size(self) -> int:
        return len(self.bits)

    def __len__(self) -> int:
        return len(self.bits)

    def copy(self) -> Bitmap:
        return Bitmap.of(self.bits)

    def popcount(self) -> int:
        return self.bits.count(1)

    def count_leading_zeros(self) -> int:
        """How many bits are clear before the first one that is set."""
        return self._before(1)

    def count_leading_ones(self) -> int:
        """How many bits are set before the first one that is clear."""
        return self._before(0)

    def _before(self, bit: int) -> int:
        place = self.bits.find(bit)
        return len(self.bits) if place < 0 else place

    def highest_set_bit(self) -> int:
        """The last bit that is set, or -1."""
        return self.bits.rfind(1)

    def __and__(self, other: Bitmap) -> Bitmap:
        """Of the size of the smaller one."""
        if not isinstance(other, Bitmap):
            return NotImplemented
        return Bitmap.of(one & two for one, two in zip(self.bits, other.bits, strict=False))

    def __or__(self, other: Bitmap) -> Bitmap:
        """Of the size of the smaller one."""
        if not isinstance(other, Bitmap):
            return NotImplemented
        return Bitmap.of(one | two for one, two in zip(self.bits, other.bits, strict=False))

    def __invert__(self) -> Bitmap:
        return Bitmap.of(bit ^ 1 for bit in self.bits)

    def get_indices_list(self) -> list[int]:
        """The bits that are set, in ascending order."""
        return list(compress(range(len(self.bits)), self.bits))

    def get_indices_set(self) -> Places:
        return set(self.get_indices_list())

    def gather(self, items: Sequence[Item]) -> list[Item]:
        """Those of ``items`` whose bit is set."""
        return list(compress(items, self.bits))

    def __repr__(self) -> str:
        """A digit for each bit, the first one first."""
        return self.bits.translate(_DIGITS).decode()


def natural(value: int) -> int:
    """``value`` as an integer; raises TypeError if it is none, or below zero."""
    if (number := index(value)) < 0:
        raise TypeError(f"expected a number of zero or more, got {number}")
    return number
