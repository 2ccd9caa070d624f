"""Scopes and bindings: what may a name refer to, and where.

Follows Python's scoping: class bodies are invisible to the functions inside
them, comprehensions have a scope of their own, ``global`` and ``nonlocal``
move a binding.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

Position = tuple[int, int]

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
#: What has a scope of its own.
OPENERS = frozenset({*_DEFINITIONS, ast.Lambda, *_COMPREHENSIONS})


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


@dataclass(frozen=True, eq=False)
class Scope:
    node: ast.AST
    parent: Scope | None

    @property
    def is_class(self) -> bool:
        return isinstance(self.node, ast.ClassDef)

    @property
    def is_comprehension(self) -> bool:
        return isinstance(self.node, _COMPREHENSIONS)


@dataclass(frozen=True)
class Bound:
    """Where one name is bound, by scope; ``moved`` is what ``global`` and ``nonlocal`` say."""

    bindings: dict[Scope, list[Binding]] = field(default_factory=dict)
    moved: dict[Scope, Scope] = field(default_factory=dict)

    def add(self, scope: Scope, binding: Binding) -> None:
        self.bindings.setdefault(self.moved.get(scope, scope), []).append(binding)

    def owner(self, scope: Scope) -> Scope | None:
        """The scope whose bindings a load in ``scope`` sees."""
        if scope in self.moved:
            return self.moved[scope]
        if scope in self.bindings:
            return scope
        above = scope.parent
        while above is not None:
            if above in self.bindings and not above.is_class:
                return above
            if above in self.moved:
                return self.moved[above]
            above = above.parent
        return None


def runs_inside(opener: ast.AST, child: ast.AST, below: ast.AST) -> bool:
    """Whether ``child`` of what opens a scope is evaluated in it, on the way up from ``below``.

    Decorators, defaults, annotations and base classes run outside, and so does
    the first iterable of a comprehension.
    """
    if isinstance(opener, _DEFINITIONS):
        return isinstance(child, ast.stmt)
    if isinstance(opener, ast.Lambda):
        return child is opener.body
    assert isinstance(opener, _COMPREHENSIONS)
    first = opener.generators[0]
    return not (child is first and below is first.iter)
