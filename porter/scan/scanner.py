"""Find every CUDA construct of a module."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

from porter.rulebook import Rulebook
from porter.scan.construct import Construct, Kind
from porter.scan.leads import PICKERS, Leads
from porter.scan.module import Module, last_name
from porter.scan.names import absolute_module
from porter.scan.patterns import (
    BACKEND,
    COMMAND,
    CUDA_NAMES,
    CUDA_TYPE,
    CUDART,
    DEVICE,
    ENVIRONMENT,
    LIBRARY,
    LIBRARY_NAME,
)
from porter.scan.resolve import Resolver

_LOADERS = frozenset({"find_library", "CDLL", "LoadLibrary"})
_METHODS = frozenset({"cuda", "pin_memory", "is_cuda", "is_cuda_alike"})
_LOOKED_AT = frozenset(
    {ast.Import, ast.ImportFrom, ast.Name, ast.Attribute, ast.Constant, ast.JoinedStr}
    | {ast.keyword, ast.Call, ast.FunctionDef}
)
_FOREIGN_CUDA = frozenset({"numba", "cupy", "cupyx", "pycuda", "cuda", "jax", "tvm", "pyopencl"})


def scan(module: Module, book: Rulebook, native: Collection[str] = ()) -> list[Construct]:
    """All constructs in document order; ``native`` are the dotted compiled extension modules."""
    return list(_Scanner(module, book, native).constructs())


class _Scanner:
    def __init__(self, module: Module, book: Rulebook, native: Collection[str]) -> None:
        self._module = module
        self._book = book
        self._native = frozenset(native)
        self._resolver = Resolver(module)
        self._leads = Leads(module, book, native, self._resolver)
        self._attributes = book.keys(Kind.ATTRIBUTE.value)

    def constructs(self) -> Iterator[Construct]:
        for statement in self._leads.statements():
            for node in self._module.inside(statement):
                if node.__class__ in _LOOKED_AT:
                    yield from self._constructs_of(node)

    def _constructs_of(self, node: ast.AST) -> Iterator[Construct]:
        match node:
            case ast.Import():
                yield from self._import(node)
            case ast.ImportFrom():
                yield from self._import_from(node)
            case ast.Name(ctx=ast.Load()):
                yield from self._name(node)
            case ast.Attribute():
                yield from self._attribute(node)
            case ast.Constant(value=str()) | ast.JoinedStr():
                yield from self._string(node)
            case ast.keyword(arg="pin_memory", value=ast.Constant(value=True)):
                yield Construct(Kind.KEYWORD, "pin_memory", node)
            case ast.Call(args=[first, *_]) if self._picks_module(node, first):
                yield Construct(Kind.DYNAMIC, "module", node)
            case ast.FunctionDef(name="cuda") if self._is_method(node):
                yield Construct(Kind.DEFINITION, "cuda", node)
            case _:
                pass

    def _picks_module(self, call: ast.Call, first: ast.expr) -> bool:
        """``getattr(torch, device)`` and ``import_module(f"torch.{device}")``."""
        if isinstance(call.func, ast.Name) and call.func.id == "getattr" and len(call.args) > 1:
            names_itself = isinstance(call.args[1], ast.Constant)
            return not names_itself and self._resolver.dotted(first) == "torch"
        if last_name(call.func) not in PICKERS or not isinstance(first, ast.JoinedStr):
            return False
        return _leading_text(first) == "torch."

    def _import(self, node: ast.Import) -> Iterator[Construct]:
        for alias in node.names:
            if self._leads.is_native(alias.name):
                yield Construct(Kind.NATIVE, alias.name, alias)
            elif self._is_cuda(alias.name):
                yield Construct(Kind.IMPORT, alias.name, alias)

    def _import_from(self, node: ast.ImportFrom) -> Iterator[Construct]:
        base = absolute_module(node, package=self._module.package)
        for alias in node.names:
            name = base if alias.name == "*" else f"{base}.{alias.name}"
            if self._leads.is_native(name):
                yield Construct(Kind.NATIVE, name, alias)
            elif self._is_cuda(name):
                yield Construct(Kind.IMPORT, name, alias)

    def _name(self, node: ast.Name) -> Iterator[Construct]:
        """A chain such as ``torch.cuda.Stream`` that starts at ``node``."""
        chain = _chain(self._module, node)
        if not self._leads.may_reach(chain):
            return
        roots = self._resolver.candidates(node)
        names = self._resolver.candidates(chain)
        certain = self._resolver.dotted(chain) is not None
        for name in sorted(names):
            if self._leads.is_native(name):
                yield Construct(Kind.NATIVE, name, chain, certain)
                return
        known = any(self._is_cuda(root) for root in roots if not root.startswith("torch."))
        for name in sorted(names):
            if CUDA_NAMES.match(name) or (not known and self._has_rule(name, chain)):
                yield Construct(Kind.NAME, name, chain, certain)
                return

    def _attribute(self, node: ast.Attribute) -> Iterator[Construct]:
        if not isinstance(node.ctx, ast.Load):
            return
        call = self._module.call_of(node)
        if call is not None and node.attr in _METHODS:
            pins_elsewhere = node.attr == "pin_memory" and (call.args or call.keywords)
            if self._may_be_tensor(node.value) and not pins_elsewhere:
                yield Construct(Kind.METHOD, node.attr, node)
        elif node.attr == "is_cuda" or node.attr in self._attributes:
            if not any(map(CUDA_NAMES.match, self._resolver.candidates(node))):
                yield Construct(Kind.ATTRIBUTE, node.attr, node)
        elif CUDART.fullmatch(node.attr) and not self._is_of_cudart(node):
            yield Construct(Kind.LIBRARY, "cudart", node)

    def _string(self, node: ast.Constant | ast.JoinedStr) -> Iterator[Construct]:
        parent = self._module.parents[node]
        if isinstance(parent, (ast.Expr, ast.JoinedStr)):
            return
        text = _leading_text(node)
        if isinstance(node, ast.JoinedStr):
            if text == "cuda:":
                yield Construct(Kind.DEVICE, "cuda", node)
            elif LIBRARY.fullmatch(text):
                yield Construct(Kind.LIBRARY, "cudart", node)
            elif command := COMMAND.fullmatch(text):
                yield Construct(Kind.COMMAND, command["name"], node)
        elif command := COMMAND.fullmatch(text):
            yield Construct(Kind.COMMAND, command["name"], node)
        elif LIBRARY.fullmatch(text) or (LIBRARY_NAME.fullmatch(text) and _is_loaded(parent)):
            yield Construct(Kind.LIBRARY, "cudart", node)
        elif BACKEND.fullmatch(text):
            yield Construct(Kind.BACKEND, "nccl", node)
        elif DEVICE.fullmatch(text):
            yield Construct(Kind.DEVICE, "gpu" if text.startswith("gpu") else "cuda", node)
        elif ENVIRONMENT.fullmatch(text):
            yield Construct(Kind.ENVIRONMENT, text, node)
        elif CUDA_TYPE.fullmatch(text):
            yield Construct(Kind.NAME, text, node)
        elif "torch.cuda" in text and is_annotation(self._module, node):
            for name in sorted({match.group() for match in CUDA_TYPE.finditer(text)}):
                yield Construct(Kind.NAME, name, node)
        elif text in self._native:
            yield Construct(Kind.NATIVE, text, node)

    def _is_cuda(self, name: str) -> bool:
        """Whether an import is about CUDA; of a neutral name the use is a construct."""
        rule = self._book.lookup(name)
        return bool(CUDA_NAMES.match(name)) or (rule is not None and not rule.neutral)

    def _has_rule(self, name: str, node: ast.expr) -> bool:
        rule = self._book.lookup(name)
        return rule is not None and rule.arguments.concern(self._module.call_of(node))

    def _is_method(self, node: ast.FunctionDef) -> bool:
        return isinstance(self._module.parents[node], ast.ClassDef)

    def _is_of_cudart(self, node: ast.Attribute) -> bool:
        """Whether ``torch.cuda.cudart()`` itself, already a construct, is the receiver."""
        return (
            isinstance(node.value, ast.Call)
            and self._resolver.dotted(node.value.func) == "torch.cuda.cudart"
        )

    def _may_be_tensor(self, receiver: ast.expr) -> bool:
        """False where the receiver is a module: ``numba.cuda(...)`` is no ``Tensor.cuda``."""
        names = self._resolver.candidates(receiver)
        return not any(name == "torch" or name.partition(".")[0] in _FOREIGN_CUDA for name in names)


def is_annotation(module: Module, node: ast.AST) -> bool:
    """Whether ``node`` is, or stands in, the annotation of a parameter, variable or result."""
    child = node
    for above in module.ancestors(node):
        if isinstance(above, (ast.arg, ast.AnnAssign)) and child is above.annotation:
            return True
        if isinstance(above, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return child is above.returns
        if isinstance(above, ast.stmt):
            return False
        child = above
    return False


def _chain(module: Module, node: ast.Name) -> ast.expr:
    """The longest attribute chain that starts at a name."""
    chain: ast.expr = node
    while isinstance(parent := module.parents[chain], ast.Attribute):
        chain = parent
    return chain


def _is_loaded(call: ast.AST) -> bool:
    """``ctypes.util.find_library("cudart")``."""
    if not isinstance(call, ast.Call):
        return False
    return last_name(call.func) in _LOADERS


def _leading_text(node: ast.Constant | ast.JoinedStr) -> str:
    first = node.values[0] if isinstance(node, ast.JoinedStr) and node.values else node
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
