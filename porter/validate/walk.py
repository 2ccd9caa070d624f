"""Read a module in one walk.

Names are resolved after it, when every binding of every scope is known.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from porter.validate.reading import Chain, Imported, Literal, Reading, callee, first_string
from porter.validate.scope import Parts, Scope

_IMPORTERS = frozenset({"import_module", "__import__", "importorskip"})


def read_module(tree: ast.Module, text: str, path: str = "") -> Reading:
    """``path`` is relative to the folder that holds the package; relative imports start there."""
    reading = Reading(text)
    package = ".".join(path.split("/")[:-1])
    _Walk(reading, package).run(tree)
    return reading


class _Walk:
    """A walk by an explicit stack: source may nest deeper than Python recurses."""

    def __init__(self, reading: Reading, package: str) -> None:
        self._reading = reading
        self._package = package
        self._module = Scope()
        self._stack: list[tuple[ast.AST, Scope]] = []

    def run(self, tree: ast.Module) -> None:
        self._stack.append((tree, self._module))
        while self._stack:
            node, scope = self._stack.pop()
            handle = getattr(self, f"_{type(node).__name__}", self._any)
            handle(node, scope)

    def _push(self, scope: Scope, *nodes: ast.AST | None) -> None:
        self._stack.extend((node, scope) for node in reversed(nodes) if node is not None)

    def _any(self, node: ast.AST, scope: Scope) -> None:
        self._push(scope, *ast.iter_child_nodes(node))

    def _skip(self, node: ast.AST, scope: Scope) -> None:
        """Nothing of interest below."""

    _Load = _Store = _Del = _Pass = _Break = _Continue = _skip

    # Scopes.

    def _FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope) -> None:
        scope.bind(node.name)
        self._annotation(node.returns, scope)
        self._push(scope, *node.decorator_list, node.returns)
        self._function(node.args, node.body, scope)

    _AsyncFunctionDef = _FunctionDef

    def _Lambda(self, node: ast.Lambda, scope: Scope) -> None:
        self._function(node.args, [node.body], scope)

    def _function(
        self, args: ast.arguments, body: list[ast.stmt] | list[ast.expr], scope: Scope
    ) -> None:
        inner = Scope(scope)
        parameters = [*args.posonlyargs, *args.args, *args.kwonlyargs]
        parameters += [extra for extra in (args.vararg, args.kwarg) if extra is not None]
        for parameter in parameters:
            inner.bind(parameter.arg)
            self._annotation(parameter.annotation, scope)
            self._push(scope, parameter.annotation)
        self._push(scope, *args.defaults, *args.kw_defaults)
        self._push(inner, *body)

    def _ClassDef(self, node: ast.ClassDef, scope: Scope) -> None:
        scope.bind(node.name)
        self._push(scope, *node.decorator_list, *node.bases, *node.keywords)
        self._push(Scope(scope, is_class=True), *node.body)

    def _ListComp(self, node: ast.AST, scope: Scope) -> None:
        self._any(node, Scope(scope))

    _SetComp = _DictComp = _GeneratorExp = _ListComp

    def _Global(self, node: ast.Global, scope: Scope) -> None:
        scope.elsewhere.update(dict.fromkeys(node.names, self._module))

    def _Nonlocal(self, node: ast.Nonlocal, scope: Scope) -> None:
        assert scope.parent is not None
        scope.elsewhere.update(dict.fromkeys(node.names, scope.parent))

    # Bindings.

    def _Import(self, node: ast.Import, scope: Scope) -> None:
        for alias in node.names:
            top = alias.name.partition(".")[0]
            scope.bind(alias.asname or top, alias.name if alias.asname else top)
            self._reading.imports.append(Imported(alias, alias.name, alias.name))

    def _ImportFrom(self, node: ast.ImportFrom, scope: Scope) -> None:
        module = _absolute(node, self._package)
        for alias in node.names:
            dotted = f"{module}.{alias.name}"
            scope.bind(alias.asname or alias.name, dotted)
            self._reading.imports.append(Imported(alias, module, dotted))

    def _Assign(self, node: ast.Assign, scope: Scope) -> None:
        self._reading.assignments.append(node)
        for target in node.targets:
            self._bind(target, node.value, scope)
        self._any(node, scope)

    def _AnnAssign(self, node: ast.AnnAssign, scope: Scope) -> None:
        self._annotation(node.annotation, scope)
        self._bind(node.target, node.value, scope)
        self._any(node, scope)

    def _NamedExpr(self, node: ast.NamedExpr, scope: Scope) -> None:
        self._bind(node.target, node.value, scope)
        self._any(node, scope)

    def _bind(self, target: ast.expr, value: ast.expr | None, scope: Scope) -> None:
        if isinstance(target, ast.Name):
            scope.bind(target.id, *_aliases(value))

    def _ExceptHandler(self, node: ast.ExceptHandler, scope: Scope) -> None:
        if node.name:
            scope.bind(node.name)
        self._any(node, scope)

    def _MatchAs(self, node: ast.MatchAs | ast.MatchStar, scope: Scope) -> None:
        if node.name:
            scope.bind(node.name)
        self._any(node, scope)

    _MatchStar = _MatchAs

    def _MatchMapping(self, node: ast.MatchMapping, scope: Scope) -> None:
        if node.rest:
            scope.bind(node.rest)
        self._any(node, scope)

    # Names.

    def _Name(self, node: ast.Name, scope: Scope) -> None:
        if isinstance(node.ctx, ast.Store):
            scope.bind(node.id)
        else:
            self._chain(node, scope)

    def _Attribute(self, node: ast.Attribute, scope: Scope) -> None:
        self._chain(node, scope)

    def _chain(self, node: ast.Name | ast.Attribute, scope: Scope) -> None:
        root: ast.expr = node
        attributes: list[ast.Attribute] = []
        while isinstance(root, ast.Attribute):
            attributes.append(root)
            root = root.value
        name = root.id if isinstance(root, ast.Name) else None
        chain = Chain(node, scope, name, tuple(reversed(attributes)))
        self._reading.chains.append(chain)
        if name is None:
            self._push(scope, root)

    def _Call(self, node: ast.Call, scope: Scope) -> None:
        self._reading.calls.append(node)
        if callee(node) in _IMPORTERS and (string := first_string(node)) is not None:
            module = str(string.value)
            self._reading.imports.append(Imported(string, module, module))
        self._any(node, scope)

    def _keyword(self, node: ast.keyword, scope: Scope) -> None:
        self._reading.keywords.append(node)
        self._push(scope, node.value)

    def _If(self, node: ast.If, scope: Scope) -> None:
        self._reading.branches.append(node)
        self._any(node, scope)

    # Strings.

    def _Expr(self, node: ast.Expr, scope: Scope) -> None:
        if not isinstance(node.value, ast.Constant):
            self._push(scope, node.value)

    def _Constant(self, node: ast.Constant, scope: Scope) -> None:
        if isinstance(node.value, str):
            self._reading.literals.append(Literal(node, node.value))

    def _BinOp(self, node: ast.BinOp, scope: Scope) -> None:
        left = node.left
        if isinstance(node.op, ast.Add) and isinstance(left, ast.Constant):
            if isinstance(left.value, str):
                self._reading.literals.append(Literal(left, left.value, open=True))
            self._push(scope, node.right)
        else:
            self._push(scope, node.left, node.right)

    def _JoinedStr(self, node: ast.JoinedStr, scope: Scope) -> None:
        first = node.values[0] if node.values else None
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            literal = Literal(node, first.value, open=len(node.values) > 1)
            self._reading.literals.append(literal)
        self._placeholders(node, scope)

    def _placeholders(self, node: ast.JoinedStr, scope: Scope) -> None:
        for value in node.values:
            if isinstance(value, ast.FormattedValue):
                self._push(scope, value.value)
                if isinstance(value.format_spec, ast.JoinedStr):
                    self._placeholders(value.format_spec, scope)

    def _annotation(self, annotation: ast.expr | None, scope: Scope) -> None:
        """Push the expressions that the strings of an annotation stand for."""
        for node in ast.walk(annotation) if annotation is not None else ():
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                self._push(scope, _quoted(node, node.value))


def _absolute(node: ast.ImportFrom, package: str) -> str:
    """The dotted module that a ``from`` statement imports from."""
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    base = parts[: max(len(parts) - node.level + 1, 0)] or [""]
    return ".".join([*base, node.module] if node.module else base)


def _aliases(value: ast.expr | None) -> Iterator[Parts]:
    """The dotted names that an assigned value may be."""
    if isinstance(value, ast.IfExp):
        yield from _aliases(value.body)
        yield from _aliases(value.orelse)
    elif isinstance(value, ast.BoolOp):
        for operand in value.values:
            yield from _aliases(operand)
    elif isinstance(value, (ast.Name, ast.Attribute)):
        parts: list[str] = []
        node: ast.expr = value
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if isinstance(node, ast.Name):
            yield (node.id, *reversed(parts))


def _quoted(string: ast.Constant, text: str) -> ast.expr | None:
    """The expression in a quoted annotation, placed where the string stands."""
    try:
        expression = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return None
    for node in ast.walk(expression):
        if isinstance(node, ast.expr):
            ast.copy_location(node, string)
    return expression
