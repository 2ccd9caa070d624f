"""Which classes of a ported package others call by a base class of theirs: ``contract.json``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from porter.sources.tree import SourceTree
from porter.validate.enclosed import enclosed


def read_contracts(tree: SourceTree, files: Iterable[str]) -> list[dict[str, Any]]:
    """Objects with ``class``, ``base`` and ``own``, of an unpacked wheel; none of a plain folder.

    Raises PorterError where the file is malformed or of another version.
    """
    documents = enclosed(tree, files, "contract.json", "list of contracts", _parsed)
    return [contract for contracts in documents for contract in contracts]


def host(contract: dict[str, Any]) -> str:
    """The package that calls the class, by its top-level name."""
    return str(contract["base"]).partition(":")[0].partition(".")[0]


def _parsed(document: Any, path: str) -> list[dict[str, Any]]:
    return [
        {
            "class": str(item["class"]),
            "base": str(item["base"]),
            "own": [str(name) for name in item["own"]],
        }
        for item in document["contracts"]
    ]
