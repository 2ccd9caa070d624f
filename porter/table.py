"""Read a TOML table key by key, so that a wrong or an unknown one is named with its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from math import inf
from typing import Any, TypeVar

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from porter.errors import PorterError

_Choice = TypeVar("_Choice", bound=Enum)


class Table:
    """``place`` says where the table stands, as ``recipe.toml: package``.

    Every accessor raises PorterError where a value is of the wrong kind, or
    missing without a default.
    """

    def __init__(self, value: object, place: str) -> None:
        self.place = place
        if not isinstance(value, Mapping):
            raise self.error("must be a table")
        self._values = value

    def error(self, cure: str) -> PorterError:
        return PorterError(f"{self.place}: {cure}")

    def only(self, *known: str) -> Table:
        """This table. Raises PorterError where it has other keys than ``known``."""
        unknown = sorted(self._values.keys() - set(known))
        if unknown:
            raise self.error(f"unknown keys: {', '.join(unknown)}; it takes {', '.join(known)}")
        return self

    def text(self, key: str, default: str | None = None) -> str:
        value = self._value(key, default)
        if not isinstance(value, str):
            raise self.error(f"{key} must be a string")
        return value

    def optional_text(self, key: str) -> str | None:
        return self.text(key) if key in self._values else None

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._value(key, [])
        if not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
            raise self.error(f"{key} must be a list of strings")
        return tuple(value)

    def number(self, key: str) -> int:
        value = self._value(key)
        if type(value) is not int:
            raise self.error(f"{key} must be a number")
        return value

    def numbers_of(self, key: str) -> tuple[int, ...]:
        value = self._value(key)
        if not (isinstance(value, list) and all(type(item) is int for item in value)):
            raise self.error(f"{key} must be a list of numbers")
        return tuple(value)

    def limit(self, key: str) -> float:
        """A number that is not below zero, whole or not."""
        value = self._value(key)
        if isinstance(value, (int, float)) and type(value) is not bool and 0 <= value < inf:
            return value
        raise self.error(f"{key} must be a number that is not below zero")

    def flag(self, key: str) -> bool:
        value = self._value(key, False)
        if not isinstance(value, bool):
            raise self.error(f"{key} must be true or false")
        return value

    def choice(self, key: str, kind: type[_Choice]) -> _Choice:
        text = self.text(key)
        try:
            return kind(text)
        except ValueError:
            values = ", ".join(item.value for item in kind)
            raise self.error(f"{key} must be one of {values}, not {text!r}") from None

    def specifier(self, key: str, default: str | None = None) -> SpecifierSet:
        return self.parse_specifier(self.text(key, default))

    def parse_specifier(self, text: str) -> SpecifierSet:
        try:
            return SpecifierSet(text)
        except InvalidSpecifier:
            raise self.error(f"{text!r} is no PEP 440 specifier, such as '>=0.3,<0.4'") from None

    def version(self, key: str) -> Version:
        text = self.text(key)
        try:
            return Version(text)
        except InvalidVersion:
            raise self.error(f"{text!r} is no PEP 440 version") from None

    def has(self, key: str) -> bool:
        return key in self._values

    def table(self, key: str) -> Table:
        return Table(self._value(key, {}), f"{self.place}: {key}")

    def rows(self, key: str) -> Iterator[Table]:
        """The tables of ``[[key]]``, numbered from 1 in their places."""
        value = self._value(key, [])
        if not isinstance(value, list):
            raise self.error(f"write [[{key}]], not [{key}]")
        for number, row in enumerate(value, 1):
            yield Table(row, f"{self.place}: [[{key}]] {number}")

    def patterns(self, key: str, reason: str) -> dict[str, str]:
        """A table of patterns and reasons, or a list of patterns, all for ``reason``."""
        if isinstance(self._values.get(key), list):
            return dict.fromkeys(self.texts(key), reason)
        return self.table(key).strings()

    def strings(self) -> dict[str, str]:
        """All of the table, every value a string."""
        return {key: self.text(key) for key in self._values}

    def numbers(self) -> dict[str, int]:
        """All of the table, every value a number."""
        return {key: self.number(key) for key in self._values}

    def tables(self) -> dict[str, Table]:
        """All of the table, every value a table."""
        return {key: self.table(key) for key in self._values}

    def versions(self) -> dict[str, Version]:
        """All of the table, every value a version."""
        return {key: self.version(key) for key in self._values}

    def free(self) -> dict[str, Any]:
        """All of the table, unchecked."""
        return dict(self._values)

    def _value(self, key: str, default: object = None) -> object:
        value = self._values.get(key, default)
        if value is None:
            raise self.error(f"add {key}")
        return value
