"""Availability guards stay sound: what runs on HPU needs nothing that only CUDA has."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator

from porter.validate.cuda_only import is_library
from porter.validate.reading import Imported, Reading
from porter.validate.rung import Failure

_CUDA = "torch.cuda."
_NATIVE_SUFFIXES = (".so", ".pyd")
_IMPORT_ERRORS = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})
_AVAILABLE = {
    "hpu": {"torch.hpu.is_available", "habana_frameworks.torch.hpu.is_available"},
    "cuda": {"torch.cuda.is_available"},
}


class ModuleNames:
    """The importable modules of a tree, by dotted name."""

    def __init__(self, files: Iterable[str]) -> None:
        self._names: set[str] = set()
        for path in files:
            folder, _, name = path.rpartition("/")
            stem = name.partition(".")[0]
            if name.endswith((".py", *_NATIVE_SUFFIXES)):
                self._add(folder if stem == "__init__" else f"{folder}/{stem}".lstrip("/"))

    def _add(self, path: str) -> None:
        parts = path.split("/")
        self._names.update(".".join(parts[: end + 1]) for end in range(len(parts)))

    def lacks(self, module: str) -> bool:
        """Whether the module belongs to a package of this tree and is not in it."""
        return module.partition(".")[0] in self._names and module not in self._names


def inverted(
    reading: Reading, path: str, native_modules: Collection[str], modules: ModuleNames
) -> Iterator[Failure]:
    """What fails on HPU, in a branch that is taken on HPU: imports, and names of torch.cuda."""
    devices = _Devices(reading)
    imports = {id(item.node): item for item in reading.imports}
    chains = {id(item.node): item for item in reading.chains}
    reported: set[int] = set()
    for branch in reading.branches:
        for node in _reached(devices.hpu_branch(branch), devices):
            what = None
            if item := imports.get(id(node)):
                why = _fails_on_hpu(item, native_modules, modules)
                what = why and f"imports {item.dotted}, {why}"
            elif chain := chains.get(id(node)):
                name = next((name for name in chain.dotted if name.startswith(_CUDA)), None)
                what = name and f"uses {name}"
            if what and id(node) not in reported:
                assert isinstance(node, (ast.alias, ast.expr))
                reported.add(id(node))
                line, _ = reading.place(node)
                yield Failure(
                    path,
                    line,
                    f"inverted guard: the branch for HPU {what}",
                    "let this branch run on CUDA only, or use what HPU has",
                )


def _fails_on_hpu(
    item: Imported, native_modules: Collection[str], modules: ModuleNames
) -> str | None:
    if is_library(item.dotted):
        return "which only CUDA has"
    if any(f"{item.dotted}.".startswith(f"{module}.") for module in native_modules):
        return "which is compiled for CUDA"
    return "which is no longer in the package" if modules.lacks(item.module) else None


class _Devices:
    """Decides which device a condition speaks of."""

    def __init__(self, reading: Reading) -> None:
        self._dotted = {id(item.node): item.dotted for item in reading.chains}
        self._flags: dict[str, set[str]] = {"hpu": set(), "cuda": set()}
        for assignment in reading.assignments:
            for device, flags in self._flags.items():
                if self.runs_on(assignment.value, device):
                    flags |= {t.id for t in assignment.targets if isinstance(t, ast.Name)}

    def hpu_branch(self, node: ast.If) -> list[ast.stmt]:
        """The statements that run because the device is an HPU."""
        runs = self.runs_on(node.test, "hpu")
        if runs is None:
            return []
        return node.body if runs else node.orelse

    def is_cuda_only(self, test: ast.expr) -> bool:
        return bool(self.runs_on(test, "cuda")) and not self.runs_on(test, "hpu")

    def runs_on(self, test: ast.expr, device: str) -> bool | None:
        """What the condition is on the device; None where it does not speak of it."""
        match test:
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                runs = self.runs_on(operand, device)
                return None if runs is None else not runs
            case ast.BoolOp(op=operator, values=values):
                answers = {self.runs_on(value, device) for value in values}
                if isinstance(operator, ast.And):
                    return False if False in answers else (True if True in answers else None)
                return True if True in answers else None
            case ast.Compare(left=left, ops=[operator], comparators=[right]):
                if device in _constants(left) | _constants(right):
                    return isinstance(operator, (ast.Eq, ast.In, ast.Is))
            case ast.Call(func=ast.Attribute(attr="startswith"), args=[ast.Constant(value=prefix)]):
                return True if prefix == device else None
            case ast.Call(func=function):
                dotted = self._dotted.get(id(function), frozenset())
                return True if dotted & _AVAILABLE[device] else None
            case ast.Attribute(attr=name):
                return True if name == f"is_{device}" else None
            case ast.Name(id=name):
                return True if name in self._flags[device] else None
        return None


def _constants(node: ast.expr) -> set[object]:
    elements = node.elts if isinstance(node, (ast.Tuple, ast.List, ast.Set)) else [node]
    return {element.value for element in elements if isinstance(element, ast.Constant)}


def _reached(statements: Iterable[ast.AST], devices: _Devices) -> Iterator[ast.AST]:
    """All nodes below, except where a failed import is caught or the device is CUDA."""
    stack = list(statements)
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, (ast.alias, ast.Constant)):
            continue
        if isinstance(node, ast.If) and devices.is_cuda_only(node.test):
            stack += node.orelse
        elif isinstance(node, ast.Try) and any(map(_catches_import_error, node.handlers)):
            stack += [*node.orelse, *node.finalbody, *node.handlers]
        else:
            stack += ast.iter_child_nodes(node)


def _catches_import_error(handler: ast.ExceptHandler) -> bool:
    caught = handler.type
    if caught is None:
        return True
    types = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(isinstance(kind, ast.Name) and kind.id in _IMPORT_ERRORS for kind in types)
