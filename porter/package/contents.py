"""What lies in a ported wheel beside the package."""

from __future__ import annotations

import os
from typing import Any

from porter.package.entry_points import merge
from porter.package.ported import Ported
from porter.package.ported_md import ported_md
from porter.package.runs import FOLDER
from porter.package.wheel import DESCRIPTION
from porter.report.json import dumps, to_json


def wheel_name(ported: Ported) -> str:
    return f"{ported.distribution}-py3-none-any.whl"


def wheel_files(ported: Ported) -> dict[str, bytes]:
    """Every file of the wheel by its name in there, but for RECORD."""
    read = ported.release.tree.read
    entry_points = merge(ported.release.entry_points, ported.recipe.entry_points)
    info = {
        **{name: read(path) for name, path in ported.release.info.items()},
        **({"entry_points.txt": entry_points.encode()} if entry_points else {}),
        "METADATA": ported.metadata,
        "WHEEL": DESCRIPTION.encode(),
        "PORTED.md": ported_md(ported).encode("utf-8", "backslashreplace"),
        "porter/findings.json": dumps(to_json(ported.result)).encode(),
        "porter/remaining.json": dumps(_remaining(ported)).encode(),
        **_asked(ported),
        **_run_modules(ported),
    }
    return {
        **{_name(ported, path): data for path, data in ported.files.items()},
        **{f"{info_folder(ported)}/{name}": data for name, data in info.items()},
    }


def executables(ported: Ported) -> frozenset[str]:
    """The names in the wheel of upstream's files that may be run."""
    root = ported.release.tree.root
    return frozenset(
        _name(ported, path) for path in ported.release.package if os.access(root / path, os.X_OK)
    )


def info_folder(ported: Ported) -> str:
    return f"{ported.distribution}.dist-info"


def _name(ported: Ported, path: str) -> str:
    """The folder ``<distribution>.data`` takes the new version's name with it."""
    old = ported.release.metadata.partition(".dist-info/")[0]
    prefix = f"{old}.data/"
    if not path.startswith(prefix):
        return path
    return f"{ported.distribution}.data/{path.removeprefix(prefix)}"


def _remaining(ported: Ported) -> dict[str, Any]:
    return {
        **to_json(ported.remaining),
        "native_modules": list(ported.native_modules),
        "routed_modules": sorted({route.module for route in ported.recipe.routes}),
        "programs": list(ported.plugins),
    }


def _asked(ported: Ported) -> dict[str, bytes]:
    """What the rungs ask the wheel: a document each, where the recipe has something to say."""
    recipe = ported.recipe
    contracts = [
        {"class": row.implementation, "base": row.base, "own": list(row.own)}
        for row in recipe.contracts
    ]
    documents: dict[str, dict[str, Any]] = {
        "contract": {"contracts": contracts},
        "run": {"runs": [run.document() for run in recipe.runs]},
        "environment": {"packages": {"vllm": str(recipe.vllm)} if recipe.vllm else {}},
    }
    return {
        f"porter/{name}.json": dumps({"schema_version": 1, **document}).encode()
        for name, document in documents.items()
        if all(document.values())
    }


def _run_modules(ported: Ported) -> dict[str, bytes]:
    """Runs have one folder of modules, and what one imports of it lies there too."""
    folders = {run.folder: run.files for run in ported.recipe.runs}
    return {
        f"porter/{FOLDER}/{path}": data
        for files in folders.values()
        for path, data in files().items()
    }
