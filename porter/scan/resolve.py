"""Resolve expressions to dotted names: aliases, rebinding and shadowing followed."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from porter.scan.module import Module, is_none
from porter.scan.names import UNBOUND
from porter.scan.scopes import Binding

_TRIES = tuple(getattr(ast, name) for name in ("Try", "TryStar") if hasattr(ast, name))
_BRANCHES = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.Match, *_TRIES)
_DEPTH = 8


class Resolver:
    """Answers which dotted name an expression of ``module`` refers to."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._names: dict[ast.Name, frozenset[str | None]] = {}

    def dotted(self, node: ast.AST) -> str | None:
        """``torch.cuda.Stream`` for whatever spelling the module uses, or None.

        None also where the name may refer to more than one thing; ``candidates``
        lists those.
        """
        names = self._alternatives(node, 0)
        return next(iter(names)) if len(names) == 1 else None

    def candidates(self, node: ast.AST) -> frozenset[str]:
        """Every dotted name that the expression may refer to."""
        return frozenset(name for name in self._alternatives(node, 0) if name is not None)

    def _alternatives(self, node: ast.AST, depth: int) -> frozenset[str | None]:
        attributes: list[str] = []
        while isinstance(node, ast.Attribute):
            attributes.append(node.attr)
            node = node.value
        if isinstance(node, ast.IfExp) and not attributes:
            arms = (self._alternatives(arm, depth) for arm in (node.body, node.orelse))
            return frozenset().union(*(names or {None} for names in arms))
        if not isinstance(node, ast.Name) or node.id not in self._module.followed:
            return frozenset()
        roots = self._name(node, depth)
        if not attributes:
            return roots
        tail = ".".join(reversed(attributes))
        return frozenset(None if root is None else f"{root}.{tail}" for root in roots)

    def _name(self, node: ast.Name, depth: int) -> frozenset[str | None]:
        if node not in self._names:
            if depth > _DEPTH:
                return frozenset()
            self._names[node] = frozenset()
            self._names[node] = self._targets(self._visible(node), depth)
            if node.id in UNBOUND and not self._module.is_bound(node.id):
                self._names[node] = frozenset({UNBOUND[node.id]})
        return self._names[node]

    def _targets(self, bindings: Iterable[Binding], depth: int) -> frozenset[str | None]:
        """What the bindings refer to. ``name = None``, the usual fallback, has no say."""
        targets: set[str | None] = set()
        for binding in bindings:
            if binding.target is not None:
                targets.add(binding.target)
            elif not is_none(binding.value):
                found = binding.value and self._alternatives(binding.value, depth + 1)
                targets.update(found or {None})
        return frozenset(targets)

    def _visible(self, node: ast.Name) -> list[Binding]:
        """The bindings that can reach a load: from the last certain one before it onwards.

        A load in a nested function may run at any time, so there every binding counts.
        """
        module = self._module
        bindings = module.bindings(node)
        scope = module.scope(node)
        if not bindings or module.owner(node.id, scope) is not scope:
            return bindings
        use = (node.lineno, node.col_offset)
        before = [binding for binding in bindings if binding.position <= use]
        around = set(module.ancestors(node))
        reaching: list[Binding] = []
        for binding in reversed(before):
            if _excludes(module, binding.node, node):
                continue
            reaching.append(binding)
            if self._is_certain(binding, around):
                break
        return reaching or bindings

    def _is_certain(self, binding: Binding, around: set[ast.AST]) -> bool:
        branches = (
            above
            for above in self._module.ancestors(binding.node)
            if isinstance(above, (*_BRANCHES, ast.ExceptHandler, ast.match_case))
        )
        return all(branch in around for branch in branches)


def _excludes(module: Module, binding: ast.AST, use: ast.AST) -> bool:
    """Whether the two stand in different arms of one ``if``, so that only one of them runs."""
    arms = {
        above: _arm(above, child)
        for above, child in _with_child(module, binding)
        if isinstance(above, ast.If)
    }
    return any(
        above in arms and arms[above] != _arm(above, child)
        for above, child in _with_child(module, use)
        if isinstance(above, ast.If) and child is not above.test
    )


def _with_child(module: Module, node: ast.AST) -> Iterable[tuple[ast.AST, ast.AST]]:
    for above in module.ancestors(node):
        yield above, node
        node = above


def _arm(branch: ast.If, child: ast.AST) -> str:
    return "body" if child in branch.body else "orelse"
