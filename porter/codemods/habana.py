"""The import that registers ``torch.hpu``: once a file, behind the import of torch."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from porter.findings import Edit
from porter.scan import Module
from porter.scan.syntax import first_line

IMPORT = "import habana_frameworks.torch  # noqa: F401  (registers torch.hpu)"


def import_edit(module: Module, edited: Iterable[int]) -> list[Edit]:
    """The added import of a file whose edits at offsets ``edited`` need the bridge."""
    bridged = [node for node in _runtime(module) if _imports(node, "habana_frameworks")]
    offsets = [
        offset for offset in edited if not any(_serves(module, node, offset) for node in bridged)
    ]
    if not offsets:
        return []
    anchors = [node for node in _runtime(module) if _imports(node, "torch")]
    top = [node for node in anchors if module.function(node) is None]
    if top:
        return [_beside(module, _preferred(module, top, offsets), offsets)]
    local = _local_anchors(module, anchors, offsets)
    return [_beside(module, node, offsets) for node in local] or [_behind_imports(module)]


def _serves(module: Module, node: ast.stmt, offset: int) -> bool:
    """Whether an import has run wherever the code at ``offset`` runs."""
    function = module.function(node)
    if function is None:
        return True
    start, end = module.span(function)
    return start <= offset < end


def _preferred(module: Module, anchors: list[ast.stmt], offsets: list[int]) -> ast.stmt:
    """``import torch`` itself, if no import before it is rewritten to need the bridge."""
    for anchor in anchors:
        start, end = module.span(anchor)
        if any(start <= offset < end for offset in offsets):
            break
        if isinstance(anchor, ast.Import) and anchor.names[0].name == "torch":
            return anchor
    return anchors[0]


def _runtime(module: Module) -> Iterator[ast.stmt]:
    """Statements that run: not those below ``if TYPE_CHECKING``."""
    for node in module.imports:
        if not any(
            isinstance(above, ast.If) and "TYPE_CHECKING" in ast.unparse(above.test)
            for above in module.ancestors(node)
        ):
            yield node


def _imports(node: ast.AST, package: str) -> bool:
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and not node.level:
        names = [node.module or ""]
    else:
        return False
    return any(name == package or name.startswith(f"{package}.") for name in names)


def _local_anchors(module: Module, anchors: list[ast.stmt], offsets: list[int]) -> list[ast.stmt]:
    """Functions that import torch for themselves get the bridge there."""
    found: dict[ast.AST, ast.stmt] = {}
    for anchor in anchors:
        function = module.function(anchor)
        assert function is not None
        start, end = module.span(function)
        if any(start <= offset < end for offset in offsets):
            found.setdefault(function, anchor)
    usable = all(
        anchor in function.body or isinstance(module.parents[anchor], ast.Try)
        for function, anchor in found.items()
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
    )
    return list(found.values()) if usable else []


def _beside(module: Module, anchor: ast.stmt, offsets: list[int]) -> Edit:
    """Behind an import of torch; before it where it is rewritten, or shares its line."""
    start, end = module.span(anchor)
    indent = module.indent_of(start)
    if indent.strip():
        return _behind_imports(module)
    behind = module.text[end : module.line_end(end)].strip()
    shares_line = behind and not behind.startswith("#")
    if shares_line or any(start <= offset < end for offset in offsets):
        first = module.line_start(start)
        return Edit(first, first, f"{indent}{IMPORT}{module.newline}")
    return _insert(module, module.line_end(end), indent)


def _behind_imports(module: Module) -> Edit:
    """A file without torch: behind its leading imports, or its docstring."""
    last: ast.stmt | None = None
    for statement in module.tree.body:
        is_docstring = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        if not isinstance(statement, (ast.Import, ast.ImportFrom)) and not is_docstring:
            break
        last = statement
    if last is not None:
        return _insert(module, module.line_end(module.span(last)[1]), "")
    first = min((first_line(statement) for statement in module.tree.body[:1]), default=1)
    return _insert(module, module.offset(first, 0), "")


def _insert(module: Module, offset: int, indent: str) -> Edit:
    text = f"{indent}{IMPORT}{module.newline}"
    if offset and module.text[offset - 1] not in "\r\n":
        text = f"{module.newline}{indent}{IMPORT}"
    return Edit(offset, offset, text)
