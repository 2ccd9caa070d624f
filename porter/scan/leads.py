"""Where in a module to look: names that lead to CUDA, and statements that may speak of it."""

from __future__ import annotations

import ast
from collections.abc import Collection

from porter.rulebook import Rulebook
from porter.scan.lines import as_word
from porter.scan.module import Module
from porter.scan.names import UNBOUND, root_of
from porter.scan.patterns import CUDA_NAMES
from porter.scan.prefilter import Prefilter
from porter.scan.resolve import Resolver

#: What picks a module by a name that is known when it runs.
PICKERS = frozenset({"getattr", "import_module", "__import__"})


class Leads:
    """What imports, assignments and words tell before any expression is walked.

    ``names`` are those that may lead to CUDA: imports of interest, and what is
    assigned from them. A dotted name is CUDA's if its first part refers to
    something of CUDA's already, or if one of its other parts says so.
    """

    def __init__(
        self, module: Module, book: Rulebook, native: Collection[str], resolver: Resolver
    ) -> None:
        self._module = module
        self._book = book
        self._native = tuple(native)
        data = module.text.encode(errors="replace")
        self._parts, self._words = Prefilter.of(book, native).seen(module.path, data)
        referring = {(name, target) for _, name, target in module.imported}
        referring |= {item for item in UNBOUND.items() if not module.is_bound(item[0])}
        self.names = module.assigned_from(
            name for name, target in referring if self._is_of_interest(target)
        )
        self._of_cuda = {name for name, target in referring if self._is_known(target)}
        while new := self._aliases(resolver) - self._of_cuda:
            self._of_cuda |= new

    def _aliases(self, resolver: Resolver) -> set[str]:
        return {
            name
            for name, value in self._module.assigned
            if self.may_reach(value) and any(map(self._is_known, resolver.candidates(value)))
        }

    def statements(self) -> list[ast.AST]:
        """Those that may hold a construct, all imports among them, in document order."""
        lines = {statement.lineno for statement in self._module.imports}
        for part in (*self._parts, *PICKERS):
            lines.update(self._module.lines_with(part))
        for word in (*self._words, *self._of_cuda):
            lines.update(self._module.lines_with(word, as_word))
        return self._module.statements_on(lines)

    def may_reach(self, chain: ast.expr) -> bool:
        """Whether a dotted name may be CUDA's."""
        root = root_of(chain)
        if root is None or root.id not in self.names:
            return False
        if root.id in self._of_cuda:
            return True
        while isinstance(chain, ast.Attribute):
            attribute = chain.attr
            if attribute in self._words or any(part in attribute for part in self._parts):
                return True
            chain = chain.value
        return False

    def is_native(self, name: str) -> bool:
        return any(name == native or name.startswith(f"{native}.") for native in self._native)

    def _is_of_interest(self, target: str) -> bool:
        top = target.partition(".")[0]
        return top in self._book.roots or any(native.startswith(top) for native in self._native)

    def _is_known(self, target: str) -> bool:
        return (
            bool(CUDA_NAMES.match(target))
            or self._book.lookup(target) is not None
            or self.is_native(target)
        )
