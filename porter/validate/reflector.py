"""Imports classes and the base classes that they answer to. The contract rung starts it.

It reads a request from standard input and writes its answer to standard output, as JSON:

    {"root": FOLDER, "contracts": [{"class": "module:Class", "base": "module:Class", "own": [...]}]}
    {"unavailable": WHY}                            where there is no emulated device
    {"classes": [{"base_error": {...}} | {"error": {...}} |
                 {"path": PATH, "line": LINE, "subclass": BOOL, "members": [...]}, ...]}
"""

from __future__ import annotations

import inspect
import json
import os
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from porter.emulator.install import install
from porter.errors import PorterError
from porter.validate.conformance import members
from porter.validate.importer import described

Record = dict[str, Any]


def main() -> None:
    request = json.load(sys.stdin)
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what packages print while they are imported
    try:
        install()
    except PorterError as error:
        document: Record = {"unavailable": str(error)}
    else:
        root = Path(request["root"])
        sys.path[:] = [str(root), *filter(None, sys.path)]
        sys.dont_write_bytecode = True
        document = {"classes": [_reflected(item, root) for item in request["contracts"]]}
    with answer:
        json.dump(document, answer)
    os._exit(0)  # whatever threads the packages have started


def _reflected(contract: Record, root: Path) -> Record:
    try:
        base = _class(contract["base"])
    except BaseException as error:
        return {"base_error": described(error, root)}
    try:
        ours = _class(contract["class"])
    except BaseException as error:
        return {"error": described(error, root)}
    path, line = _place(ours, root)
    found = [vars(member) for member in members(ours, base, contract["own"])]
    return {"path": path, "line": line, "subclass": issubclass(ours, base), "members": found}


def _class(name: str) -> type:
    module, _, attribute = name.partition(":")
    found = getattr(import_module(module), attribute)
    if not isinstance(found, type):
        raise TypeError(f"{name} is no class")
    return found


def _place(ours: type, root: Path) -> tuple[str, int]:
    path, line = ours.__module__, 1
    with suppress(OSError, TypeError, ValueError):
        path = str(Path(inspect.getfile(ours)).relative_to(root))
        line = inspect.getsourcelines(ours)[1]
    return path, line


if __name__ == "__main__":
    main()
