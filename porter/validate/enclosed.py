"""What a ported wheel says of itself: the documents of porter in its metadata folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from porter.errors import PorterError
from porter.sources.tree import SourceTree

_SCHEMA_VERSION = 1
_FOLDER = ".dist-info/porter/"

Content = TypeVar("Content")


def enclosed(
    tree: SourceTree,
    files: Iterable[str],
    name: str,
    kind: str,
    parse: Callable[[Any, str], Content],
) -> Iterator[Content]:
    """Each document ``name`` among ``files``, as ``parse`` reads it; a plain folder has none.

    ``parse`` takes what the JSON says and the path. Raises PorterError where a document is no
    ``kind``, as "list of runs", or of another version.
    """
    for path in files:
        if path.endswith(_FOLDER + name):
            yield _read(tree, path, kind, parse)


def _read(tree: SourceTree, path: str, kind: str, parse: Callable[[Any, str], Content]) -> Content:
    try:
        document = json.loads(tree.read(path))
        version = document["schema_version"]
        if version != _SCHEMA_VERSION:
            raise ValueError(f"schema_version {version}, this porter reads {_SCHEMA_VERSION}")
        return parse(document, path)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PorterError(
            f"{tree.label}: {path}: not a {kind} ({error}); "
            "build the wheel again with `porter port`"
        ) from error
