"""Port a user's plugins along with a package: scripts that another program of it starts."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from porter.errors import PorterError
from porter.findings import Edit, FileResult, Result
from porter.package.recipe import PluginPlace
from porter.rewrite.changes import edited
from porter.scan.module import Module
from porter.scan.resolve import Resolver
from porter.sources.text import SourceText

Analyse = Callable[[str, str], FileResult]

_SUFFIX = ".py"
#: Statements that do nothing which could be seen from outside.
_QUIET = (
    *(ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef),
    *(ast.Assign, ast.AnnAssign, ast.Pass),
)


@dataclass(frozen=True)
class PortedPlugin:
    """``path`` is its place in the package, ``result`` tells about the user's text."""

    path: str
    data: bytes
    result: FileResult


def port_plugins(
    files: Sequence[Path], place: PluginPlace, analyse: Analyse
) -> tuple[PortedPlugin, ...]:
    """Rewrite each of ``files``, and start the class in it where nothing else does.

    ``analyse`` takes a path in the package and a text. Raises PorterError for a file
    that cannot be a plugin, and for two that would get one name.
    """
    ported: dict[str, PortedPlugin] = {}
    for file in files:
        plugin = _ported(file, place, analyse)
        if plugin.path in ported:
            raise PorterError(f"{file}: another plugin is called {plugin.path}; rename one of them")
        ported[plugin.path] = plugin
    return tuple(ported.values())


def _ported(file: Path, place: PluginPlace, analyse: Analyse) -> PortedPlugin:
    data, text = _read(file)
    path = f"{place.folder}/{place.name(file.name)}"
    try:
        module = Module(path, text)
    except (SyntaxError, ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        where = f"{file}:{line}" if line else file
        reason = getattr(error, "msg", error)
        raise PorterError(f"{where}: not Python: {reason}; a plugin is a Python script") from error
    result = analyse(path, text)
    start = _start(file, module, place)
    result = replace(result, edits=(*result.edits, *start))
    data = edited(file.name, data, result.edits)
    return PortedPlugin(path, data, Result((), (result,)).rewritten().files[0])


def _read(file: Path) -> tuple[bytes, str]:
    if file.suffix != _SUFFIX:
        raise PorterError(f"{file}: a plugin is a Python script; its name must end in {_SUFFIX}")
    try:
        data = file.read_bytes()
        return data, SourceText.decode(data).text
    except OSError as error:
        raise PorterError(f"{file}: cannot be read: {error.strerror}; name a file") from error
    except (SyntaxError, UnicodeDecodeError) as error:
        raise PorterError(f"{file}: cannot be decoded: {error}; save it as UTF-8") from error


def _start(file: Path, module: Module, place: PluginPlace) -> Iterator[Edit]:
    """What has to be added so that the script does something when it is run."""
    names = _plugin_classes(module, place.bases)
    if not names:
        if all(map(_is_quiet, module.tree.body)):
            raise PorterError(
                f"{file}: nothing happens when it is run; write a script, or derive a class from "
                f"{place.bases[0]}"
            )
        return
    if any(_starts(statement, names) for statement in module.tree.body):
        return
    if len(names) > 1:
        raise PorterError(
            f"{file}: starts none of its plugins {', '.join(names)}; add the start of one, "
            f"`{place.start.format(plugin=names[0])}`"
        )
    line = module.newline
    before = "" if not module.text or module.text.endswith(("\n", "\r")) else line
    statement = place.start.format(plugin=names[0])
    text = f'{before}{line}{line}if __name__ == "__main__":{line}    {statement}{line}'
    yield Edit(len(module.text), len(module.text), text)


def _plugin_classes(module: Module, bases: Sequence[str]) -> list[str]:
    """The classes at the top that are derived from one of ``bases`` and not derived from."""
    resolver = Resolver(module)
    derived: dict[str, bool] = {}
    for node in module.tree.body:
        if not isinstance(node, ast.ClassDef):
            continue
        above = {base.id for base in node.bases if isinstance(base, ast.Name)} & derived.keys()
        if above or any(resolver.candidates(base) & set(bases) for base in node.bases):
            derived[node.name] = True
            derived.update(dict.fromkeys(above, False))
    return [name for name, is_last in derived.items() if is_last]


def _starts(statement: ast.stmt, names: Sequence[str]) -> bool:
    """Whether it is ``if __name__ == …``, or does something with one of the classes."""
    if isinstance(statement, _QUIET):
        return False
    mentioned = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
    return not mentioned.isdisjoint(("__name__", *names))


def _is_quiet(statement: ast.stmt) -> bool:
    is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return is_text or isinstance(statement, _QUIET)
