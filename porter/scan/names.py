"""The names of a text: what binds each, and where it is loaded.

A name is looked for once somebody asks, in the statements that mention it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cached_property

from porter.scan.lines import as_target, as_variable
from porter.scan.scopes import OPENERS, Binding, Bound, Position, Scope, runs_inside
from porter.scan.syntax import Syntax

_Import = ast.Import | ast.ImportFrom
_Placed = ast.stmt | ast.expr | ast.arg | ast.alias | ast.ExceptHandler | ast.pattern

#: What a name that the module binds nowhere, so that a star import must bring it, stands for.
UNBOUND = {"torch": "torch", "cudnn": "torch.backends.cudnn"}


class Names(Syntax):
    """A parsed text inside ``package``, which relative imports start from."""

    def __init__(self, text: str, package: str) -> None:
        super().__init__(text)
        self.package = package
        self.root = Scope(self.tree, None)
        self._opened: dict[ast.AST, Scope] = {}
        self._bound: dict[str, Bound] = {}
        self._loads: dict[str, dict[Scope, list[ast.Name]]] = {}

    @cached_property
    def imports(self) -> list[_Import]:
        return [node for node in self.statements if isinstance(node, (ast.Import, ast.ImportFrom))]

    @cached_property
    def imported(self) -> list[tuple[ast.alias, str, str]]:
        """The names that imports bind, and what each refers to, in document order."""
        return [found for node in self.imports for found in _imported(node, self.package)]

    @cached_property
    def assigned(self) -> list[tuple[str, ast.expr]]:
        """The names that are assigned another name, an attribute of one, or a choice of such."""
        nested = (
            node
            for statement in self.statements_on(self.lines_with(":="))
            for node in self.inside(statement)
            if isinstance(node, ast.NamedExpr)
        )
        return [
            (target.id, value)
            for node in (*self.statements, *nested)
            if isinstance(node, (ast.Assign, ast.AnnAssign, ast.NamedExpr))
            for value in _chosen_from(node.value)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name)
        ]

    @cached_property
    def followed(self) -> set[str]:
        """Names that an import binds, or an assignment from such a name."""
        return self.assigned_from([*UNBOUND, *(name for _, name, _ in self.imported)])

    def assigned_from(self, names: Iterable[str]) -> set[str]:
        """``names``, and those that are assigned one of them or an attribute of one."""
        found = set(names)
        roots = [(name, root.id) for name, value in self.assigned if (root := root_of(value))]
        while new := {name for name, root in roots if root in found} - found:
            found |= new
        return found

    def scope(self, node: ast.AST) -> Scope:
        """The scope in which ``node`` is evaluated."""
        below = node
        while node is not self.tree:
            above = self.parents[node]
            if above.__class__ in OPENERS and runs_inside(above, node, below):
                return self._opened_by(above)
            node, below = above, node
        return self.root

    def owner(self, name: str, scope: Scope) -> Scope | None:
        """The scope whose bindings a load of ``name`` in ``scope`` sees."""
        return self._bindings_of(name).owner(scope)

    def bindings(self, name: ast.Name) -> list[Binding]:
        """All bindings that a load of ``name`` may see."""
        owner = self.owner(name.id, self.scope(name))
        return [] if owner is None else self.bindings_in(owner, name.id)

    def bindings_in(self, scope: Scope, name: str) -> list[Binding]:
        return self._bindings_of(name).bindings.get(scope, [])

    def loads(self, name: str) -> dict[Scope, list[ast.Name]]:
        """Where ``name`` is loaded, by the scope that the load stands in."""
        if name not in self._loads:
            self._loads[name] = {}
            for statement in self.statements_on(self.lines_with(name, as_variable)):
                for node in self.inside(statement):
                    if isinstance(node, ast.Name) and node.id == name and _is_load(node):
                        self._loads[name].setdefault(self.scope(node), []).append(node)
        return self._loads[name]

    def is_bound(self, name: str) -> bool:
        """Whether any scope binds ``name``."""
        return bool(self._bindings_of(name).bindings)

    def is_unused(self, name: str) -> bool:
        """Whether no scope binds or loads ``name``."""
        return not (self.is_bound(name) or self.loads(name))

    def _opened_by(self, node: ast.AST) -> Scope:
        if node not in self._opened:
            self._opened[node] = Scope(node, self.scope(node))
        return self._opened[node]

    def _bindings_of(self, name: str) -> Bound:
        if name not in self._bound:
            self._bound[name] = bound = Bound()
            imports = {alias: target for alias, bare, target in self.imported if bare == name}
            lines = {*self.lines_with(name, as_target), *(alias.lineno for alias in imports)}
            for statement in self.statements_on(lines):
                for node in self.inside(statement):
                    if isinstance(node, ast.alias) and node in imports:
                        binding = Binding(node, _position(node), imports[node])
                        bound.add(self.scope(node), binding)
                    elif node.__class__ in _BINDERS:
                        self._bind(name, node, bound)
        return self._bound[name]

    def _bind(self, name: str, node: ast.AST, bound: Bound) -> None:
        """Add what ``node`` does to ``name``."""
        match node:
            case ast.Name(id=bare, ctx=ast.Store()) if bare == name:
                binding = Binding(node, _position(node), value=self._assigned_to(node))
                bound.add(self._scope_of_target(node), binding)
            case ast.arg(arg=bare) if bare == name:
                function = self.parents[self.parents[node]]
                bound.add(self._opened_by(function), Binding(node, _position(node)))
            case ast.Global(names=names) if name in names:
                bound.moved[self.scope(node)] = self.root
            case ast.Nonlocal(names=names) if name in names:
                scope = self.scope(node)
                owner = bound.owner(scope.parent) if scope.parent else None
                if owner is not None:
                    bound.moved[scope] = owner
            case (
                ast.FunctionDef(name=bare)
                | ast.AsyncFunctionDef(name=bare)
                | ast.ClassDef(name=bare)
                | ast.ExceptHandler(name=bare)
                | ast.MatchAs(name=bare)
                | ast.MatchStar(name=bare)
                | ast.MatchMapping(rest=bare)
            ) if bare == name:
                bound.add(self.scope(node), Binding(node, _position(node)))
            case _:
                pass

    def _assigned_to(self, target: ast.Name) -> ast.expr | None:
        match self.parents[target]:
            case ast.Assign(targets=targets, value=value) if target in targets:
                return value
            case ast.AnnAssign(target=whole, value=value) if target is whole:
                return value
            case ast.NamedExpr(target=whole, value=value) if target is whole:
                return value
            case _:
                return None

    def _scope_of_target(self, target: ast.Name) -> Scope:
        """Where a target is bound: a walrus binds around the comprehensions that it stands in."""
        scope = self.scope(target)
        if isinstance(self.parents[target], ast.NamedExpr):
            while scope.is_comprehension and scope.parent is not None:
                scope = scope.parent
        return scope


_BINDERS = frozenset(
    {ast.Name, ast.arg, ast.Global, ast.Nonlocal, ast.FunctionDef, ast.AsyncFunctionDef}
    | {ast.ClassDef, ast.ExceptHandler, ast.MatchAs, ast.MatchStar, ast.MatchMapping}
)


def root_of(chain: ast.AST | None) -> ast.Name | None:
    """The name that an attribute chain starts with."""
    while isinstance(chain, ast.Attribute):
        chain = chain.value
    return chain if isinstance(chain, ast.Name) else None


def absolute_module(node: ast.ImportFrom, package: str) -> str:
    """The dotted module of a ``from`` import inside ``package``, relative levels resolved."""
    if not node.level:
        return node.module or ""
    parts = package.split(".") if package else []
    parts = parts[: len(parts) - node.level + 1]
    return ".".join([*parts, node.module] if node.module else parts)


def _imported(node: _Import, package: str) -> Iterator[tuple[ast.alias, str, str]]:
    base = absolute_module(node, package) if isinstance(node, ast.ImportFrom) else None
    for alias in node.names:
        if base is not None:
            yield alias, alias.asname or alias.name, f"{base}.{alias.name}"
        elif alias.asname:
            yield alias, alias.asname, alias.name
        else:
            top = alias.name.partition(".")[0]
            yield alias, top, top


def _chosen_from(value: ast.expr | None) -> Iterator[ast.expr]:
    if isinstance(value, ast.IfExp):
        yield from _chosen_from(value.body)
        yield from _chosen_from(value.orelse)
    elif isinstance(value, (ast.Name, ast.Attribute)):
        yield value


def _is_load(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Load)


def _position(node: _Placed) -> Position:
    return (node.lineno, node.col_offset)
