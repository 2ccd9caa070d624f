"""How a module may spell a new dotted name: through which import, or not at all."""

from __future__ import annotations

import ast

from porter.codemods.context import Context
from porter.scan.module import is_none
from porter.scan.names import root_of
from porter.scan.scopes import Binding, Scope


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
        moved = _moved_target(context, root)
        if moved is not None and (new == moved or new.startswith(f"{moved}.")):
            return _new_alias(context, root) + new[len(moved) :]
    torch = torch_name(context, chain)
    if torch is not None and new.startswith("torch."):
        return torch + new[len("torch") :]
    return None


def sources(context: Context, root: ast.Name) -> list[ast.AST]:
    """The imports and assigned expressions that give a name its meaning, fallbacks left out."""
    nodes = (
        binding.node if binding.value is None else binding.value
        for binding in context.module.bindings(root)
    )
    return [node for node in nodes if not is_none(node)]


def moved_targets(context: Context, root: ast.Name) -> set[str]:
    """What the rewritten ones among the sources of a name will refer to."""
    return {context.moved[node] for node in sources(context, root) if node in context.moved}


def _moved_target(context: Context, root: ast.Name) -> str | None:
    """What a name will refer to once all imports (or assignments) behind it are rewritten."""
    targets = {context.moved.get(node) for node in sources(context, root)}
    return targets.pop() if len(targets) == 1 else None


def _new_alias(context: Context, root: ast.Name) -> str:
    """The name itself, or its new one where ``from torch import cuda`` becomes ``hpu``."""
    names = {context.renamed.get(node, root.id) for node in sources(context, root)}
    return names.pop() if len(names) == 1 else root.id


def torch_name(context: Context, node: ast.AST) -> str | None:
    """The name under which ``torch`` itself is visible at ``node``."""
    module = context.module
    here = module.scope(node)
    scope: Scope | None = here
    names = dict.fromkeys(name for _, name, target in module.imported if target == "torch")
    while scope is not None:
        for name in names:
            bindings = module.bindings_in(scope, name)
            if module.owner(name, here) is scope and _all_import_torch(bindings):
                return name
        scope = scope.parent
    return None


def _all_import_torch(bindings: list[Binding]) -> bool:
    """Whether a name is ``torch``, or None where torch is not installed."""
    targets = {binding.target for binding in bindings if not is_none(binding.value)}
    return targets == {"torch"}
