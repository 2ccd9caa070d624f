"""A package that is not installed, as far as its wheel's text tells which names it has.

Its modules can be imported, and ``from a import b`` succeeds for what the text of ``a`` binds;
literals have their values, and everything else is a class that has any attribute. Nothing of
the package runs, so neither its own requirements nor the torch that it was built for matter.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any
from zipfile import ZipFile

from porter.validate.anything import anything
from porter.validate.bindings import Bindings, bindings


class StandIn(MetaPathFinder, Loader):
    """Finds the modules of ``package`` in ``wheel``.

    The wheel is opened for each module, since forks share how far an open file is read.
    """

    def __init__(self, package: str, wheel: Path) -> None:
        self._package = package
        self._wheel = wheel
        with ZipFile(wheel) as archive:
            files = [name for name in archive.namelist() if name.endswith(".py")]
        self._files = frozenset(files)
        self._folders = frozenset(
            "/".join(parts[:depth])
            for parts in (name.split("/") for name in files)
            for depth in range(1, len(parts))
        )

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] != self._package:
            return None
        place = fullname.replace(".", "/")
        is_folder = place in self._folders
        file = f"{place}/__init__.py" if is_folder else f"{place}.py"
        if not is_folder and file not in self._files:
            return None
        spec = ModuleSpec(fullname, self, origin=file, is_package=is_folder)
        spec.has_location = True  # for the messages of errors
        return spec

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = ModuleType(spec.name)
        found = bindings(self._parse(spec.origin or ""))
        answers = _Answers(module, spec.parent or "", found, self._package)
        module.__getattr__ = answers.of  # type: ignore[method-assign]
        return module

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing to run."""

    def _parse(self, path: str) -> ast.Module:
        if path not in self._files:
            return ast.Module([], [])
        with ZipFile(self._wheel) as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(archive.read(path))


class _Answers:
    """The attributes of a module, each made when it is first asked for."""

    def __init__(self, module: ModuleType, package: str, found: Bindings, top: str) -> None:
        self._module = module
        self._package = package
        self._found = found
        self._top = top

    def of(self, name: str) -> Any:
        value = self._value(name)
        setattr(self._module, name, value)
        return value

    def _value(self, name: str) -> Any:
        if name in self._found.names:
            return self._bound(name, self._found.names[name])
        if name in self._found.promised:
            return anything(name)
        for star in self._found.stars:
            module = _absolute(star, self._package)
            if self._is_own(module) and not name.startswith("_"):
                with suppress(AttributeError):
                    return getattr(import_module(module), name)
        raise AttributeError(f"module {self._module.__name__!r} has no attribute {name!r}")

    def _bound(self, name: str, statement: ast.stmt | None) -> Any:
        if isinstance(statement, ast.ImportFrom):
            module = _absolute(statement, self._package)
            if self._is_own(module):
                setattr(self._module, name, anything(name))  # a circle of imports ends here
                known = {alias.asname or alias.name: alias.name for alias in statement.names}
                return _imported(module, known[name])
        elif isinstance(statement, (ast.Assign, ast.AnnAssign)) and statement.value is not None:
            with suppress(ValueError):
                return ast.literal_eval(statement.value)
        return anything(name)

    def _is_own(self, module: str) -> bool:
        return module.partition(".")[0] == self._top


def _absolute(statement: ast.ImportFrom, package: str) -> str:
    if not statement.level:
        return statement.module or ""
    base = package.split(".")
    base = base[: len(base) - statement.level + 1]
    return ".".join([*base, *filter(None, [statement.module])])


def _imported(module: str, name: str) -> Any:
    """As ``from module import name``; a class where that leads nowhere in this wheel."""
    with suppress(AttributeError, ModuleNotFoundError):
        return getattr(import_module(module), name)
    with suppress(ModuleNotFoundError):
        return import_module(f"{module}.{name}")
    return anything(name)
