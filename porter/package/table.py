"""Read a TOML table key by key, so that a wrong or an unknown one is named with its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from porter.errors import PorterError


class Table:
    """``place`` says where the table stands, as ``recipe.toml: [package]``.

    Every accessor takes a key out and raises PorterError where its value is of
    the wrong kind, or missing without a default; ``close`` raises for keys left over.
    """

    def __init__(self, value: object, place: str) -> None:
        self.place = place
        if not isinstance(value, Mapping):
            raise self.error("must be a table")
        self._values = dict(value)

    def error(self, cure: str) -> PorterError:
        return PorterError(f"{self.place}: {cure}")

    def text(self, key: str, default: str | None = None) -> str:
        value = self._take(key, default)
        if not isinstance(value, str):
            raise self.error(f"{key} must be a string")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._take(key, [])
        if not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
            raise self.error(f"{key} must be a list of strings")
        return tuple(value)

    def number(self, key: str) -> int:
        value = self._take(key, None)
        if type(value) is not int:
            raise self.error(f"{key} must be a number")
        return value

    def specifier(self, key: str, default: str | None = None) -> SpecifierSet:
        return self.parse_specifier(self.text(key, default))

    def parse_specifier(self, text: str) -> SpecifierSet:
        try:
            return SpecifierSet(text)
        except InvalidSpecifier:
            raise self.error(f"{text!r} is no PEP 440 specifier, such as '>=0.3,<0.4'") from None

    def table(self, key: str) -> Table:
        return Table(self._take(key, {}), f"{self.place}: {key}")

    def rows(self, key: str) -> Iterator[Table]:
        """The tables of ``[[key]]``, numbered from 1 in their places."""
        value = self._take(key, [])
        if not isinstance(value, list):
            raise self.error(f"write [[{key}]], not [{key}]")
        for number, row in enumerate(value, 1):
            yield Table(row, f"{self.place}: [[{key}]] {number}")

    def patterns(self, key: str, reason: str) -> dict[str, str]:
        """A table of patterns and reasons, or a list of patterns, all for ``reason``."""
        value = self._values.get(key, {})
        if isinstance(value, list):
            return dict.fromkeys(self.texts(key), reason)
        return self.table(key).strings()

    def strings(self) -> dict[str, str]:
        """All that is left, every value a string."""
        return {key: self.text(key) for key in list(self._values)}

    def tables(self) -> dict[str, Table]:
        """All that is left, every value a table."""
        return {key: self.table(key) for key in list(self._values)}

    def free(self) -> dict[str, Any]:
        """All that is left, unchecked."""
        values, self._values = self._values, {}
        return values

    def close(self) -> None:
        if self._values:
            raise self.error(f"unknown keys: {', '.join(sorted(self._values))}")

    def _take(self, key: str, default: object) -> object:
        value = self._values.pop(key, default)
        if value is None:
            raise self.error(f"add {key}")
        return value
