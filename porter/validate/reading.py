"""A module as the checks see it: plain lists of what stands in it."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from functools import cached_property

from porter.validate.scope import Scope

_LINE_END = re.compile(r"\r\n|\r|\n")

#: Line and column, both 1-based; the column counts characters.
Place = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Imported:
    """One imported name: ``module`` is what must exist, ``dotted`` that and the name in it."""

    node: ast.alias | ast.Constant
    module: str
    dotted: str


@dataclass(frozen=True, eq=False)
class Chain:
    """A maximal ``root.a.b``; ``root`` is None where it is not a plain name."""

    node: ast.Name | ast.Attribute
    scope: Scope
    root: str | None
    attributes: tuple[ast.Attribute, ...]

    @cached_property
    def dotted(self) -> frozenset[str]:
        """Every absolute dotted name that the chain may stand for."""
        if self.root is None:
            return frozenset()
        parts = (self.root, *(node.attr for node in self.attributes))
        return frozenset(self.scope.resolve(parts))


@dataclass(frozen=True, eq=False)
class Literal:
    """A string that is no docstring; ``open`` where a placeholder or an operand follows it."""

    node: ast.expr
    text: str
    open: bool = False


@dataclass(eq=False)
class Reading:
    """What stands in a module, in no particular order."""

    text: str
    imports: list[Imported] = field(default_factory=list)
    chains: list[Chain] = field(default_factory=list)
    literals: list[Literal] = field(default_factory=list)
    calls: list[ast.Call] = field(default_factory=list)
    keywords: list[ast.keyword] = field(default_factory=list)
    branches: list[ast.If] = field(default_factory=list)
    assignments: list[ast.Assign] = field(default_factory=list)

    @cached_property
    def _lines(self) -> list[str]:
        return _LINE_END.split(self.text)

    def place(self, node: ast.expr | ast.alias | ast.keyword) -> Place:
        return self._place(node.lineno, node.col_offset)

    def last_name(self, node: ast.Attribute) -> Place:
        """Where the attribute's own name stands, which in a long chain is far from its start."""
        assert node.end_lineno is not None and node.end_col_offset is not None
        return self._place(node.end_lineno, node.end_col_offset - len(node.attr.encode()))

    def _place(self, line: int, offset: int) -> Place:
        text = self._lines[line - 1]
        if not text.isascii():
            offset = len(text.encode("utf-8", "surrogatepass")[:offset].decode(errors="ignore"))
        return line, offset + 1


def callee(call: ast.Call) -> str | None:
    """The last name of what is called."""
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else None


def first_string(call: ast.Call) -> ast.Constant | None:
    """The first argument where it is a plain string."""
    match call.args:
        case [ast.Constant(value=str()) as first, *_]:
            return first
    return None
