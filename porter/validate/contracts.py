"""Which classes of a ported package others call by a base class of theirs: ``contract.json``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from porter.errors import PorterError
from porter.sources.tree import SourceTree

_SCHEMA_VERSION = 1


def read_contracts(tree: SourceTree, files: Iterable[str]) -> list[dict[str, Any]]:
    """Objects with ``class``, ``base`` and ``own``, of an unpacked wheel; none of a plain folder.

    Raises PorterError where the file is malformed or of another version.
    """
    paths = [path for path in files if path.endswith(".dist-info/porter/contract.json")]
    return [contract for path in paths for contract in _read(tree, path)]


def host(contract: dict[str, Any]) -> str:
    """The package that calls the class, by its top-level name."""
    return str(contract["base"]).partition(":")[0].partition(".")[0]


def _read(tree: SourceTree, path: str) -> list[dict[str, Any]]:
    try:
        document = json.loads(tree.read(path))
        version = document["schema_version"]
        if version != _SCHEMA_VERSION:
            raise ValueError(f"schema_version {version}, this porter reads {_SCHEMA_VERSION}")
        return [
            {
                "class": str(item["class"]),
                "base": str(item["base"]),
                "own": [str(name) for name in item["own"]],
            }
            for item in document["contracts"]
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise PorterError(
            f"{tree.label}: {path}: not a list of contracts ({error}); "
            "build the wheel again with `porter port`"
        ) from error
