"""What a dotted name may stand for, by the bindings of every scope around it."""

from __future__ import annotations

from dataclasses import dataclass, field

Parts = tuple[str, ...]


@dataclass(eq=False)
class Scope:
    """Names bound in a module, class, function or comprehension.

    A target is the dotted name of an import, or the parts of a dotted name that
    was assigned; a name without targets is bound to something else.
    """

    parent: Scope | None = None
    is_class: bool = False
    targets: dict[str, list[str | Parts]] = field(default_factory=dict)
    elsewhere: dict[str, Scope] = field(default_factory=dict)

    def bind(self, name: str, *targets: str | Parts) -> None:
        scope = self.elsewhere.get(name, self)
        scope.targets.setdefault(name, []).extend(targets)

    def resolve(self, parts: Parts, seen: frozenset[Parts] = frozenset()) -> set[str]:
        """Every dotted name that ``parts`` may stand for."""
        head, *rest = parts
        scope = self._owner(head)
        if scope is None:
            return {".".join(parts)}
        bases: set[str] = set()
        for target in scope.targets[head]:
            if isinstance(target, str):
                bases.add(target)
            elif target not in seen:
                bases |= scope.resolve(target, seen | {target})
        # Whatever it was bound to (importorskip, a parameter): a name torch is torch.
        if head == "torch":
            bases.add(head)
        return {".".join((base, *rest)) for base in bases}

    def _owner(self, name: str) -> Scope | None:
        scope: Scope | None = self
        while scope is not None:
            if name in scope.targets and (scope is self or not scope.is_class):
                return scope
            scope = scope.parent
        return None
