"""Scopes and bindings of a module: what may each name refer to, and where.

Follows Python's scoping: class bodies are invisible to the functions inside
them, comprehensions have a scope of their own, ``global`` and ``nonlocal``
move a binding, a walrus binds in the enclosing function.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

Position = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Binding:
    """One place that binds a name.

    ``target`` is the dotted name of an import; ``value`` the assigned
    expression of a plain ``name = value``. Both are None where the name is
    bound to something that is not followed (a parameter, a loop variable).
    """

    node: ast.AST
    position: Position
    target: str | None = None
    value: ast.expr | None = None


@dataclass(eq=False)
class Scope:
    node: ast.AST
    parent: Scope | None
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    loads: dict[str, list[ast.Name]] = field(default_factory=dict)
    elsewhere: dict[str, Scope] = field(default_factory=dict)

    @property
    def is_class(self) -> bool:
        return isinstance(self.node, ast.ClassDef)

    @property
    def is_comprehension(self) -> bool:
        return isinstance(self.node, _COMPREHENSIONS)

    def bind(self, name: str, binding: Binding) -> None:
        scope = self.elsewhere.get(name, self)
        scope.bindings.setdefault(name, []).append(binding)

    def owner(self, name: str) -> Scope | None:
        """The scope whose bindings a load of ``name`` in this scope sees."""
        if name in self.elsewhere:
            return self.elsewhere[name]
        if name in self.bindings:
            return self
        scope = self.parent
        while scope is not None:
            if name in scope.bindings and not scope.is_class:
                return scope
            if name in scope.elsewhere:
                return scope.elsewhere[name]
            scope = scope.parent
        return None


_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DIVIDERS = frozenset({*_FUNCTIONS, ast.ClassDef, ast.Lambda, ast.comprehension})
_ASSIGNMENTS = frozenset({ast.Assign, ast.AnnAssign, ast.AugAssign, ast.NamedExpr})
_MARKERS = frozenset({ast.Load, ast.Store, ast.Del})
_BINDERS = frozenset(
    {
        ast.Name,
        ast.ClassDef,
        ast.Lambda,
        ast.Import,
        ast.ImportFrom,
        ast.Global,
        ast.Nonlocal,
        ast.ExceptHandler,
        ast.MatchAs,
        ast.MatchStar,
        ast.MatchMapping,
        *_FUNCTIONS,
        *_COMPREHENSIONS,
    }
)


class ScopeBuilder:
    """One walk over a module: parents, scopes, bindings and loads, in document order."""

    def __init__(self, tree: ast.Module, package: str) -> None:
        self.parents: dict[ast.AST, ast.AST] = {}
        self.scope_of: dict[ast.AST, Scope] = {}
        self.nodes: list[ast.AST] = []
        self._package = package
        self.root = Scope(tree, None)
        self._walk(tree, self.root)

    def _walk(self, tree: ast.AST, scope: Scope) -> None:
        """Depth first, with a stack of its own: generated code nests deeper than Python calls."""
        stack = [(tree, scope)]
        while stack:
            node, scope = stack.pop()
            self.nodes.append(node)
            inner = self._enter(node, scope) if node.__class__ in _BINDERS else scope
            divides = node.__class__ in _DIVIDERS
            for child in reversed(list(_children(node))):
                self.parents[child] = node
                within = self._scope_for(child, node, scope, inner) if divides else inner
                stack.append((child, within))

    def _scope_for(self, child: ast.AST, node: ast.AST, scope: Scope, inner: Scope) -> Scope:
        """Where ``child`` is evaluated: in ``inner``, the scope that ``node`` opens, or outside.

        Decorators, defaults, annotations and base classes run outside, and so
        does the first iterable of a comprehension.
        """
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            return inner if child in node.body else scope
        if isinstance(node, ast.Lambda):
            return inner if child is node.body else scope
        if isinstance(node, ast.comprehension) and child is node.iter:
            whole = self.parents[node]
            is_first = isinstance(whole, _COMPREHENSIONS) and whole.generators[0] is node
            return scope.parent if is_first and scope.parent is not None else scope
        return inner

    def _enter(self, node: ast.AST, scope: Scope) -> Scope:
        """Record what ``node`` binds or loads; the scope of what stands inside it."""
        if isinstance(node, ast.Name):
            self.scope_of[node] = scope
            if isinstance(node.ctx, ast.Load):
                scope.loads.setdefault(node.id, []).append(node)
            elif isinstance(node.ctx, ast.Store):
                self._bind_name(node, scope)
        elif isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            scope.bind(node.name, Binding(node, _position(node)))
            scope = self._open(node, scope)
            if isinstance(node, _FUNCTIONS):
                _bind_parameters(node.args, scope)
        elif isinstance(node, ast.Lambda):
            scope = self._open(node, scope)
            _bind_parameters(node.args, scope)
        elif isinstance(node, _COMPREHENSIONS):
            scope = self._open(node, scope)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                target = alias.name if alias.asname else name
                scope.bind(name, Binding(alias, _position(node), target=target))
        elif isinstance(node, ast.ImportFrom):
            base = absolute_module(node, self._package)
            for alias in node.names:
                binding = Binding(alias, _position(node), target=f"{base}.{alias.name}")
                scope.bind(alias.asname or alias.name, binding)
        elif isinstance(node, ast.Global):
            scope.elsewhere.update(dict.fromkeys(node.names, self.root))
        elif isinstance(node, ast.Nonlocal):
            self._bind_nonlocal(node, scope)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            scope.bind(node.name, Binding(node, _position(node)))
        elif isinstance(node, (ast.MatchAs, ast.MatchStar)) and node.name:
            scope.bind(node.name, Binding(node, _position(node)))
        elif isinstance(node, ast.MatchMapping) and node.rest:
            scope.bind(node.rest, Binding(node, _position(node)))
        return scope

    def _open(self, node: ast.AST, parent: Scope) -> Scope:
        scope = Scope(node, parent)
        self.scope_of[node] = scope
        return scope

    def _bind_name(self, node: ast.Name, scope: Scope) -> None:
        parent = self.parents[node]
        value = None
        if isinstance(parent, ast.Assign) and node in parent.targets:
            value = parent.value
        elif isinstance(parent, (ast.AnnAssign, ast.NamedExpr)) and parent.target is node:
            value = parent.value
        if isinstance(parent, ast.NamedExpr):
            while scope.is_comprehension and scope.parent is not None:
                scope = scope.parent
        scope.bind(node.id, Binding(node, _position(node), value=value))

    @staticmethod
    def _bind_nonlocal(node: ast.Nonlocal, scope: Scope) -> None:
        for name in node.names:
            owner = scope.parent.owner(name) if scope.parent else None
            if owner is not None:
                scope.elsewhere[name] = owner


def absolute_module(node: ast.ImportFrom, package: str) -> str:
    """The dotted module of a ``from`` import inside ``package``, relative levels resolved."""
    if not node.level:
        return node.module or ""
    parts = package.split(".") if package else []
    parts = parts[: len(parts) - node.level + 1]
    return ".".join([*parts, node.module] if node.module else parts)


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """Child nodes; an assigned value before its targets, as they run."""
    fields = node._fields
    if node.__class__ in _ASSIGNMENTS:
        fields = ("value", *(name for name in fields if name != "value"))
    for name in fields:
        value = getattr(node, name, None)
        if value.__class__ is list:
            for item in value:
                if isinstance(item, ast.AST):
                    yield item
        elif isinstance(value, ast.AST) and value.__class__ not in _MARKERS:
            yield value


def _bind_parameters(arguments: ast.arguments, scope: Scope) -> None:
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every += [extra for extra in (arguments.vararg, arguments.kwarg) if extra is not None]
    for parameter in every:
        scope.bind(parameter.arg, Binding(parameter, _position(parameter)))


def _position(node: ast.stmt | ast.expr | ast.arg | ast.ExceptHandler | ast.pattern) -> Position:
    return (node.lineno, node.col_offset)
