"""The syntax tree of a text: its statements at once, the expressions when they are asked for.

A module has ten times as many nodes as statements, and few of them matter. So
what stands inside a statement is walked once somebody wants it, most often
because of a word in its text.
"""

from __future__ import annotations

import ast
import warnings
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import pairwise
from weakref import proxy

from porter.scan.lines import Lines, as_word

_Statement = ast.stmt | ast.ExceptHandler | ast.match_case

_BLOCKS = frozenset({"body", "handlers", "orelse", "finalbody", "cases"})
_OWNERS = (ast.stmt, ast.ExceptHandler, ast.match_case)
_FIRST: dict[type[ast.AST], tuple[str, ...]] = dict.fromkeys(
    (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.NamedExpr), ("value",)
)
_MARKERS = frozenset({"ctx", "op", "ops"})


class Syntax(Lines):
    """A parsed text. ``statements`` are in document order; handlers and cases count as such.

    ``parents`` has the parent of every node but the module.
    Raises SyntaxError, ValueError (a NUL byte) or RecursionError where the text
    cannot be parsed.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.tree = ast.parse(text)
        self.parents: dict[ast.AST, ast.AST] = _Parents(self)
        self.statements: list[_Statement] = []
        self._inside: dict[ast.AST, list[ast.AST]] = {}
        self._outline()

    def _outline(self) -> None:
        # With a stack of its own, as in `_walk`: generated code nests deeper than Python calls.
        self.parents.update(dict.fromkeys(self.tree.body, self.tree))
        stack: list[_Statement] = [*reversed(self.tree.body)]
        while stack:
            node = stack.pop()
            self.statements.append(node)
            if blocks := _OWN_BLOCKS[node.__class__]:
                children = [child for name in blocks for child in getattr(node, name)]
                self.parents.update(dict.fromkeys(children, node))
                stack += reversed(children)

    @property
    def cuts(self) -> list[int]:
        """Offsets, both ends among them, between which each part of the text parses by itself."""
        cuts = [0]
        for before, statement in pairwise(self.tree.body):
            line = first_line(statement)
            if _last_line(before) < line:
                cuts.append(self.starts[line - 1])
        return [*cuts, len(self.text)]

    def inside(self, statement: ast.AST) -> list[ast.AST]:
        """A statement and its expressions in the order they run, without the blocks below it."""
        if statement not in self._inside:
            self._inside[statement] = self._walk(statement)
        return self._inside[statement]

    def _walk(self, statement: ast.AST) -> list[ast.AST]:
        nodes: list[ast.AST] = []
        stack = [statement]
        while stack:
            node = stack.pop()
            nodes.append(node)
            children: list[ast.AST] = []
            for name in _OWN_EXPRESSIONS[node.__class__]:
                value = getattr(node, name, None)
                if value.__class__ is list:
                    children += [item for item in value if isinstance(item, ast.AST)]
                elif isinstance(value, ast.AST):
                    children.append(value)
            if children:
                self.parents.update(dict.fromkeys(children, node))
                stack += reversed(children)
        return nodes

    @property
    def nodes(self) -> Iterator[ast.AST]:
        """Every node. That walks all there is: what mentions a word is cheaper to ask for."""
        for statement in self.statements:
            yield from self.inside(statement)

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """Parents of ``node``, nearest first, up to the module."""
        while node is not self.tree:
            node = self.parents[node]
            yield node

    def statements_on(self, lines: Iterable[int]) -> list[ast.AST]:
        """The statements that stand, or go on, on one of the lines, in document order."""
        found: set[int] = set()
        for line in lines:
            behind = bisect_right(self._first_lines, line)
            first = bisect_left(self._first_lines, line, hi=behind)
            if first and line <= _last_line(self.statements[first - 1]):
                first -= 1
            found.update(range(first, behind))
        return [self.statements[index] for index in sorted(found)]

    @cached_property
    def _first_lines(self) -> list[int]:
        return [
            first_line(node) if isinstance(node, _BEGUN_BEFORE) else node.lineno
            for node in self.statements
        ]

    def mentioning(self, word: str) -> Iterator[ast.AST]:
        """What stands inside the statements in whose text ``word`` is a whole word."""
        for statement in self.statements_on(self.lines_with(word, as_word)):
            yield from self.inside(statement)


#: What may begin above its own line, or has none.
_BEGUN_BEFORE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.match_case)


class _Parents(dict[ast.AST, ast.AST]):
    """Of a node in a statement that nobody has walked yet, the parent is found by walking it."""

    def __init__(self, syntax: Syntax) -> None:
        super().__init__()
        # A cycle would leave every tree to the garbage collector, which takes as long as parsing.
        self._syntax = proxy(syntax)

    def __missing__(self, node: ast.AST) -> ast.AST:
        line = getattr(node, "lineno", None)
        near = [] if line is None else self._syntax.statements_on([line])
        for statement in (*near, *self._syntax.statements):
            self._syntax.inside(statement)
            if node in self:
                return self[node]
        raise KeyError(node)


def first_line(statement: ast.AST) -> int:
    """The line on which a statement begins, its decorators included."""
    if isinstance(statement, ast.match_case):
        return statement.pattern.lineno
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    assert isinstance(statement, (ast.stmt, ast.ExceptHandler))
    return decorators[0].lineno if decorators else statement.lineno


def _last_line(statement: ast.AST) -> int:
    if isinstance(statement, ast.match_case):
        return _last_line(statement.body[-1])
    assert isinstance(statement, (ast.stmt, ast.ExceptHandler))
    return statement.end_lineno or statement.lineno


_KINDS: list[type[ast.AST]] = [
    kind for kind in vars(ast).values() if isinstance(kind, type) and issubclass(kind, ast.AST)
]
_OWN_BLOCKS = {
    kind: tuple(name for name in kind._fields if name in _BLOCKS and issubclass(kind, _OWNERS))
    for kind in _KINDS
}
#: The other fields; an assigned value before its targets, as they run.
_OWN_EXPRESSIONS = {
    kind: tuple(
        name
        for name in dict.fromkeys((*_FIRST.get(kind, ()), *kind._fields))
        if name not in {*_MARKERS, *_OWN_BLOCKS[kind]}
    )
    for kind in _KINDS
}
