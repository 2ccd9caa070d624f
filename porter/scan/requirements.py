"""The distributions that lists of requirements, package metadata and set-up scripts ask for."""

from __future__ import annotations

import ast
import configparser
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from porter.scan.construct import Kind, Mention
from porter.scan.module import Module, last_name
from porter.toml import parse_toml

_FIELD = re.compile(r"requires-dist:\s*(.+)", re.IGNORECASE)
_CUDA_BUILD = re.compile(r"\+cu\d+|whl/(nightly/)?cu\d+")
_KEYWORDS = frozenset({"extras_require", "install_requires", "setup_requires", "tests_require"})


def of_setup_script(module: Module) -> Iterator[Mention]:
    """What ``setup(install_requires=[...])`` of a setup.py asks for, through variables too."""
    seen: set[ast.AST] = set()
    for call in module.nodes:
        if isinstance(call, ast.Call) and last_name(call.func) == "setup":
            for keyword in call.keywords:
                if keyword.arg in _KEYWORDS:
                    yield from _in_expression(module, keyword.value, seen)


def _in_expression(module: Module, node: ast.AST, seen: set[ast.AST]) -> Iterator[Mention]:
    if node in seen:
        return
    seen.add(node)
    match node:
        case ast.Constant(value=str() as line):
            if mention := _required(line.strip(), module.span(node)):
                yield mention
        case ast.Name(ctx=ast.Load()):
            for binding in module.bindings(node):
                if binding.value is not None:
                    yield from _in_expression(module, binding.value, seen)
        case ast.Dict(values=values):
            for value in values:
                yield from _in_expression(module, value, seen)
        case ast.List() | ast.Tuple() | ast.Set() | ast.BinOp() | ast.IfExp():
            for child in ast.iter_child_nodes(node):
                yield from _in_expression(module, child, seen)
        case _:
            return


def declared(name: str, text: str) -> list[Mention]:
    """What a pyproject.toml or a setup.cfg asks for; nothing for a file of another name."""
    return listed(text, _DECLARED[name](text)) if name in _DECLARED else []


def listed(text: str, requirements: Iterable[str]) -> list[Mention]:
    """Where each of ``requirements``, which come in the order of ``text``, is named there."""
    found: list[Mention] = []
    end = 0
    for written in requirements:
        if not (line := written.strip()):
            continue
        whole = re.compile(rf"(?<![\w.-]){re.escape(line)}(?![\w.-])")
        match = whole.search(text, end) or whole.search(text)
        if match is None:
            continue
        end = match.end()
        if mention := _required(line, match.span()):
            found.append(mention)
    return found


def _required(line: str, span: tuple[int, int]) -> Mention | None:
    name = "+cu" if _CUDA_BUILD.search(line) else _distribution(line)
    return None if name is None else Mention(Kind.REQUIREMENT, name, *span)


def _distribution(line: str) -> str | None:
    """The name of the distribution that a line requires; hashes and options behind it are cut."""
    try:
        return canonicalize_name(Requirement(re.split(r"\s(?=--)|\s*\\$", line)[0]).name)
    except InvalidRequirement:
        return None


def of_metadata(text: str) -> Iterator[str]:
    """The requirements of METADATA; its header ends at the first empty line."""
    for line in text.splitlines():
        if not line.strip():
            return
        if match := _FIELD.fullmatch(line):
            yield match[1]


def _of_pyproject(text: str) -> Iterator[str]:
    document = parse_toml(text)
    project = _table(document, "project")
    groups = (_table(project, "optional-dependencies"), _table(document, "dependency-groups"))
    lists = [
        _table(document, "build-system").get("requires"),
        project.get("dependencies"),
        *(value for group in groups for value in group.values()),
    ]
    for values in lists:
        for value in values if isinstance(values, list) else ():
            if isinstance(value, str):
                yield value
    poetry = _table(_table(document, "tool"), "poetry")
    yield from (*_table(poetry, "dependencies"), *_table(poetry, "dev-dependencies"))


def _table(table: dict[str, Any], name: str) -> dict[str, Any]:
    found = table.get(name)
    return found if isinstance(found, dict) else {}


def _of_setup_cfg(text: str) -> Iterator[str]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return
    for section in parser.sections():
        for key, value in parser.items(section):
            if section == "options.extras_require" or key in ("install_requires", "setup_requires"):
                yield from value.splitlines()


_DECLARED: dict[str, Callable[[str], Iterator[str]]] = {
    "pyproject.toml": _of_pyproject,
    "setup.cfg": _of_setup_cfg,
}
