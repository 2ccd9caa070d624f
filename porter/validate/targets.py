"""Only real targets: every HPU name exists, and no device string names a second card."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from packaging.version import Version

from porter.errors import PorterError
from porter.toml import read_toml
from porter.validate.reading import Literal, Reading
from porter.validate.rung import Failure

_SIGNS = ("hpu", "habana")
_HPU_NAME = re.compile(r"(torch\.hpu|habana_frameworks)(\.|$)")
_CARD = re.compile(r"hpu:(?!0$)(?:\d+|%[dis]|\{\w*\})")


class HpuNames:
    """The checked-in table of what one release of the bridge has."""

    def __init__(self, version: str, names: Mapping[str, str]) -> None:
        self.version = version
        self._names = dict(names)
        for name in names:
            while name := name.rpartition(".")[0]:
                self._names.setdefault(name, "module")
        self._owners = {name.rpartition(".")[0] for name in self._names}

    @classmethod
    def newest(cls, folder: Path) -> HpuNames:
        """The table of the newest release in ``folder``. Raises PorterError where there is none."""
        documents = [read_toml(path) for path in folder.glob("*.toml")]
        if not documents:
            raise PorterError(f"{folder}: no API table in it; reinstall porter")
        newest = max(documents, key=lambda document: Version(document["version"]))
        return cls(newest["version"], newest["names"])

    def exists(self, dotted: str) -> bool:
        """Whether the table has the name, or has nothing to say about the object it belongs to."""
        owner, member = dotted.removesuffix(".*"), ""
        while owner and owner not in self._names:
            owner, _, member = owner.rpartition(".")
        is_listed = self._names.get(owner) == "module" or owner in self._owners
        return not member or not is_listed or member.startswith("__")


def may_have_hpu(text: str) -> bool:
    """A cheap look at the text: False only where no HPU name can be."""
    return any(sign in text for sign in _SIGNS)


def invented(reading: Reading, path: str, names: HpuNames) -> Iterator[Failure]:
    """HPU names that do not exist, at each place where one is imported or used."""
    found = [(reading.place(item.node), {item.dotted}) for item in reading.imports]
    found += [(reading.place(chain.node), set(chain.dotted)) for chain in reading.chains]
    for (line, _), dotted_names in found:
        for dotted in sorted(filter(_HPU_NAME.match, dotted_names)):
            if not names.exists(dotted):
                yield Failure(
                    path,
                    line,
                    f"{dotted} does not exist in release {names.version} of the Gaudi bridge",
                    "use a name of rules/api, or leave the CUDA code and report it",
                )


def numbered_cards(reading: Reading, path: str) -> Iterator[Failure]:
    """Device strings that name another card than the one of the process."""
    for literal in reading.literals:
        if _names_card(literal):
            line, _ = reading.place(literal.node)
            yield Failure(
                path,
                line,
                f"{ast.unparse(literal.node)} names a card by number",
                'a process owns one card: write "hpu"',
            )


def _names_card(literal: Literal) -> bool:
    if not literal.open:
        return _CARD.fullmatch(literal.text) is not None
    return literal.text == "hpu:" and not _is_prose(literal.node)


def _is_prose(node: ast.expr) -> bool:
    return any(
        isinstance(value, ast.Constant) and " " in str(value.value)
        for value in getattr(node, "values", ())
    )
