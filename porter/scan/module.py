"""A parsed module: text, syntax tree, positions, and what its names refer to."""

from __future__ import annotations

import ast
from functools import cached_property

from porter.scan.names import Names
from porter.sources.names import package_of

Span = tuple[int, int]
Function = ast.FunctionDef | ast.AsyncFunctionDef

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Module(Names):
    """One Python file.

    Raises SyntaxError, ValueError (a NUL byte) or RecursionError where the text
    cannot be parsed.
    """

    def __init__(self, path: str, text: str) -> None:
        super().__init__(text, package_of(path))
        self.path = path

    @cached_property
    def classes(self) -> list[ast.ClassDef]:
        return [node for node in self.statements if isinstance(node, ast.ClassDef)]

    @cached_property
    def functions(self) -> list[Function]:
        return [node for node in self.statements if isinstance(node, _FUNCTIONS)]

    def offset(self, line: int, byte_column: int) -> int:
        """Character offset of a position as ast gives it: 1-based line, UTF-8 byte column."""
        start = self.starts[line - 1]
        prefix = self.text[start : start + byte_column]
        if prefix.isascii():
            return start + byte_column
        return start + len(prefix.encode()[:byte_column].decode(errors="ignore"))

    def span(self, node: ast.AST) -> Span:
        """Start and end offset of a statement, an expression, an argument or an alias."""
        assert isinstance(node, _LOCATED)
        assert node.end_lineno is not None and node.end_col_offset is not None
        return (
            self.offset(node.lineno, node.col_offset),
            self.offset(node.end_lineno, node.end_col_offset),
        )

    def segment(self, node: ast.AST) -> str:
        start, end = self.span(node)
        return self.text[start:end]

    def call_of(self, callee: ast.AST) -> ast.Call | None:
        """The call whose callee is the given node."""
        parent = self.parents[callee]
        return parent if isinstance(parent, ast.Call) and parent.func is callee else None

    def block_of(self, statement: ast.stmt) -> list[ast.stmt]:
        """The statements among which ``statement`` stands."""
        for _, block in ast.iter_fields(self.parents[statement]):
            if isinstance(block, list) and statement in block:
                return block
        return [statement]

    def indent_of(self, offset: int) -> str:
        """What stands before ``offset`` in its line."""
        return self.text[self.line_start(offset) : offset]

    def function(self, node: ast.AST) -> Function | None:
        """The innermost function around ``node``."""
        for above in self.ancestors(node):
            if isinstance(above, _FUNCTIONS):
                return above
        return None


_LOCATED = (ast.stmt, ast.expr, ast.arg, ast.alias, ast.keyword, ast.pattern, ast.ExceptHandler)


def last_name(function: ast.expr) -> str:
    """``init`` of ``dist.init`` or of plain ``init``; empty where it is neither."""
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def is_none(value: ast.AST | None) -> bool:
    """Whether ``name = None`` is assigned, the usual fallback of an import."""
    return isinstance(value, ast.Constant) and value.value is None
