"""What a ported package has the run rung run: ``run.json``, and the modules beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from porter.sources.tree import SourceTree
from porter.validate.enclosed import enclosed


@dataclass(frozen=True)
class Run:
    """``entry`` is ``module:function`` of ``folder``; the rest is as ``run.schema.json`` says."""

    name: str
    folder: str
    entry: str
    prompt: Mapping[str, Any]
    prompts: Mapping[str, Any] | None
    limits: Mapping[str, Mapping[str, float]]

    @property
    def path(self) -> str:
        """The file that has the function."""
        return f"{self.folder}/{self.entry.partition(':')[0]}.py"


def read_runs(tree: SourceTree, files: Iterable[str]) -> list[Run]:
    """The runs of an unpacked wheel; none of a plain folder.

    Raises PorterError where the list is malformed or of another version.
    """
    documents = enclosed(tree, files, "run.json", "list of runs", _parsed)
    return [run for runs in documents for run in runs]


def _parsed(document: Any, path: str) -> list[Run]:
    folder = f"{path.rpartition('/')[0]}/runs"
    return [_run(item, folder) for item in document["runs"]]


def _run(item: Any, folder: str) -> Run:
    prompt, prompts = item["prompt"], item["prompts"]
    return Run(
        name=str(item["name"]),
        folder=folder,
        entry=str(item["entry"]),
        prompt={"tokens": int(prompt["tokens"]), "kv": dict(prompt["kv"])},
        prompts=prompts
        and {
            "count": int(prompts["count"]),
            "longest": int(prompts["longest"]),
            "kv": dict(prompts["kv"]),
        },
        limits={
            way: {str(name): float(limit) for name, limit in item["limits"][way].items()}
            for way in ("store", "load")
        },
    )
