"""How a module may spell a new dotted name: through which import, or not at all."""

from __future__ import annotations

import ast

from porter.codemods.context import Context
from porter.scan.scopes import Binding


def root_of(chain: ast.AST) -> ast.Name | None:
    """The name that an attribute chain starts with."""
    while isinstance(chain, ast.Attribute):
        chain = chain.value
    return chain if isinstance(chain, ast.Name) else None


def spell(context: Context, chain: ast.expr, old: str, new: str) -> str | None:
    """Source text that means ``new`` where ``chain`` stands, which means ``old``.

    The root name of the chain is kept where it reaches the new name, be it that
    its import is rewritten too. Otherwise the module's ``import torch`` serves.
    None where neither does.
    """
    root = root_of(chain)
    if root is None:
        return None
    target = context.resolver.dotted(root)
    if target is not None:
        if new == target or new.startswith(f"{target}."):
            return root.id + new[len(target) :]
        moved = moved_target(context, root)
        if moved is not None and (new == moved or new.startswith(f"{moved}.")):
            return new_alias(context, root) + new[len(moved) :]
    torch = torch_name(context, chain)
    if torch is not None and new.startswith("torch."):
        return torch + new[len("torch") :]
    return None


def alias_binding(context: Context, root: ast.Name) -> Binding | None:
    """The one import or assignment that gives a name its CUDA meaning."""
    bindings = [
        binding
        for binding in context.module.bindings(root)
        if binding.target is not None or binding.value is not None
    ]
    return bindings[0] if len(bindings) == 1 else None


def moved_target(context: Context, root: ast.Name) -> str | None:
    """What the name will refer to once the import (or assignment) behind it is rewritten."""
    binding = alias_binding(context, root)
    if binding is None:
        return None
    return context.moved.get(binding.node if binding.value is None else binding.value)


def moved_targets(context: Context, root: ast.Name) -> set[str]:
    """What the rewritten ones among the bindings of a name will refer to."""
    nodes = (
        binding.node if binding.value is None else binding.value
        for binding in context.module.bindings(root)
    )
    return {context.moved[node] for node in nodes if node in context.moved}


def new_alias(context: Context, root: ast.Name) -> str:
    """The name itself, or its new one where ``from torch import cuda`` becomes ``hpu``."""
    binding = alias_binding(context, root)
    return context.renamed.get(binding.node, root.id) if binding else root.id


def torch_name(context: Context, node: ast.AST) -> str | None:
    """The name under which ``torch`` itself is visible at ``node``."""
    scope = context.module.scope(node)
    while scope is not None:
        for name, bindings in scope.bindings.items():
            owner = context.module.scope(node).owner(name)
            if owner is scope and all(binding.target == "torch" for binding in bindings):
                return name
        if scope.parent is None:
            return None
        scope = scope.parent
    return None
