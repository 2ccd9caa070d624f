"""Routed names lead somewhere: what is used of our modules is defined in them."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping

from porter.sources.text import SourceText
from porter.sources.tree import SourceTree
from porter.validate.reading import Place, Reading
from porter.validate.rung import Failure


class RoutedModules:
    """The top-level names of the modules that took the place of compiled ones."""

    def __init__(self, tree: SourceTree, modules: Collection[str]) -> None:
        self._names: Mapping[str, frozenset[str] | None] = {
            module: _defined(tree, module) for module in modules
        }

    def dead_ends(self, reading: Reading, path: str) -> Iterator[Failure]:
        """Uses of a routed module, or of a name that it does not define."""
        for imported in reading.imports:
            yield from self._failure(imported.dotted, reading.place(imported.node), path)
        for chain in reading.chains:
            for name in sorted(chain.dotted):
                yield from self._failure(name, reading.place(chain.node), path)

    def _failure(self, name: str, place: Place, path: str) -> Iterator[Failure]:
        if missing := self._missing(name):
            what = f"{missing} does not exist, and a route leads to it"
            yield Failure(path, place[0], what, "define it in the overlay, or mend the recipe")

    def _missing(self, name: str) -> str | None:
        """The part of a dotted name that is not there."""
        for module, names in self._names.items():
            if name == module or name.startswith(f"{module}."):
                if names is None:
                    return module
                first = name.removeprefix(module).lstrip(".").partition(".")[0]
                return f"{module}.{first}" if first and first not in names else None
        return None


def _defined(tree: SourceTree, module: str) -> frozenset[str] | None:
    """Names bound at the top level of a module; None where there is no such module."""
    base = module.replace(".", "/")
    for path in (f"{base}.py", f"{base}/__init__.py"):
        if (tree.root / path).is_file():
            text = SourceText.decode(tree.read(path)).text
            return frozenset(_bound(ast.parse(text)))
    return None


def _bound(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.alias):
            yield node.asname or node.name.partition(".")[0]
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
