"""What a run of the codemods may be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase


@dataclass(frozen=True)
class Options:
    """``select`` and ``ignore`` are rule ids or their beginnings (``HPU3``).

    ``routes`` maps a native extension module to the module that takes its
    place; its imports are rewritten and its calls reported until ``implemented``
    names them. ``cuda_only`` are path patterns of modules that only ever run
    on CUDA: they are reported and left alone.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    routes: Mapping[str, str] = field(default_factory=dict)
    implemented: frozenset[str] = frozenset()
    cuda_only: tuple[str, ...] = ()
    add_imports: bool = True

    def selects(self, rule: str) -> bool:
        chosen = not self.select or rule.startswith(self.select)
        return chosen and not (self.ignore and rule.startswith(self.ignore))

    def is_implemented(self, name: str) -> bool:
        """Whether an operation, or the class that an attribute belongs to, is ours already."""
        return any(name == ours or name.startswith(f"{ours}.") for ours in self.implemented)

    def leaves_alone(self, path: str) -> bool:
        return any(fnmatchcase(path, pattern) for pattern in self.cuda_only)
