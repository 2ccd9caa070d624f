"""What runs only if a test holds: the code that a guard guards.

Followed are ``not`` and comparisons, early exits, loops, ``match``, and flags:
variables, attributes, parameters and functions that carry the answer elsewhere.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from porter.scan import Module
from porter.scan.module import last_name

_EXITS = (ast.Return, ast.Raise, ast.Continue, ast.Break)
_EXIT_CALLS = frozenset({"skip", "skipTest", "exit", "_exit", "abort", "fail"})
_SKIPS = frozenset({"skipif", "skipUnless", "skipIf"})
_TRANSPARENT_CALLS = frozenset({"bool", "any", "all", "str", "int", "range", "len", "list"})
_PREFIX_TESTS = frozenset({"startswith", "endswith"})
_FLIPPING = (ast.NotEq, ast.IsNot, ast.NotIn, ast.Lt, ast.LtE)
_EQUALITIES = (ast.Eq, ast.NotEq, ast.Is, ast.IsNot)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_PASSED_THROUGH = (ast.With, ast.AsyncWith, ast.Try)


class Regions:
    """Finds the guarded code of one module."""

    def __init__(self, module: Module) -> None:
        self._module = module

    def guarded_by(self, node: ast.AST) -> list[ast.AST]:
        """Nodes that run only if the test that ``node`` is a part of holds."""
        is_answer = not isinstance(node, ast.Constant)
        return list(self._climb(node, holds=True, is_answer=is_answer, seen=set()))

    def _climb(
        self, node: ast.AST, *, holds: bool, is_answer: bool, seen: set[ast.AST]
    ) -> Iterator[ast.AST]:
        """``is_answer`` is False for a word that is only being compared with."""
        for above in self._module.ancestors(node):
            match above:
                case ast.UnaryOp(op=ast.Not()):
                    holds = not holds
                case ast.BoolOp() if isinstance(node, ast.expr):
                    if isinstance(above.op, ast.And) is holds:
                        yield from above.values[above.values.index(node) + 1 :]
                case ast.Compare():
                    holds, is_answer = holds is not _flips(above, node), True
                case ast.Call() if node is above.func:
                    pass
                case ast.Call() if last_name(above.func) in _SKIPS:
                    yield from self._skipped(above)
                    return
                case ast.Call() if last_name(above.func) in _PREFIX_TESTS:
                    is_answer = True
                case ast.Call() if last_name(above.func) in _TRANSPARENT_CALLS:
                    pass
                case ast.Attribute() | ast.Subscript() | ast.List() | ast.Tuple() | ast.Set():
                    pass
                case ast.MatchValue() | ast.MatchOr():
                    is_answer = True
                case ast.match_case():
                    yield from above.body
                    return
                case ast.If() if node is above.test:
                    yield from self._of_branch(above, holds, seen)
                    return
                case ast.IfExp() if node is above.test:
                    yield above.body if holds else above.orelse
                    if not _is_boolean(above):
                        return
                    holds = holds is _says_yes(above.body)
                case ast.While() if node is above.test:
                    yield from above.body
                    return
                case ast.Assert() if node is above.test:
                    yield from self._rest(above)
                    return
                case ast.For() | ast.AsyncFor() if node is above.iter:
                    yield from above.body
                    return
                case ast.comprehension() if node is not above.target:
                    yield from self._elements(above)
                    return
                case ast.NamedExpr() if is_answer and _is_new(above, seen):
                    yield from self._of_flag(above.target, holds, seen)
                case ast.Assign() if is_answer and _is_new(above, seen):
                    for target in above.targets:
                        yield from self._of_flag(target, holds, seen)
                    return
                case ast.AnnAssign() if is_answer and _is_new(above, seen):
                    yield from self._of_flag(above.target, holds, seen)
                    return
                case ast.Return() if is_answer and _is_new(above, seen):
                    yield from self._of_predicate(above, holds, seen)
                    return
                case ast.arguments() if is_answer and _is_new(above, seen):
                    yield from self._of_parameter(above, node, holds, seen)
                    return
                case _:
                    return
            node = above

    def _of_branch(self, branch: ast.If, holds: bool, seen: set[ast.AST]) -> Iterator[ast.AST]:
        guarded, other = (branch.body, branch.orelse) if holds else (branch.orelse, branch.body)
        yield from guarded
        if other and _exits(other[-1]):
            yield from self._rest(branch)
        for statement in guarded:
            if not (isinstance(statement, ast.Assign) and _says_yes(statement.value)):
                continue
            if _is_new(statement, seen):
                for target in statement.targets:
                    yield from self._of_flag(target, True, seen)

    def _of_flag(self, target: ast.expr, holds: bool, seen: set[ast.AST]) -> Iterator[ast.AST]:
        """``HAS_CUDA = torch.cuda.is_available()``: every test of the flag guards."""
        match target:
            case ast.Name(id=name):
                loads: list[ast.AST] = list(self._loads(name, target))
            case ast.Attribute(attr=attribute, value=value):
                owner = ast.unparse(value)
                loads = [
                    node
                    for node in self._module.mentioning(attribute)
                    if isinstance(node, ast.Attribute)
                    and node.attr == attribute
                    and isinstance(node.ctx, ast.Load)
                    and ast.unparse(node.value) == owner
                ]
            case ast.Tuple(elts=elements):
                for element in elements:
                    yield from self._of_flag(element, holds, seen)
                return
            case _:
                return
        for load in loads:
            yield from self._climb(load, holds=holds, is_answer=True, seen=seen)

    def _of_predicate(
        self, statement: ast.Return, holds: bool, seen: set[ast.AST]
    ) -> Iterator[ast.AST]:
        """``def has_cuda(): return torch.cuda.is_available()``: every call of it guards."""
        function = self._module.function(statement)
        if function is None:
            return
        for node in self._module.mentioning(function.name):
            if isinstance(node, ast.Call) and last_name(node.func) == function.name:
                yield from self._climb(node.func, holds=holds, is_answer=True, seen=seen)

    def _of_parameter(
        self, arguments: ast.arguments, default: ast.AST, holds: bool, seen: set[ast.AST]
    ) -> Iterator[ast.AST]:
        positional = [*arguments.posonlyargs, *arguments.args]
        pairs = [
            *zip(reversed(positional), reversed(arguments.defaults), strict=False),
            *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
        ]
        owner = self._module.parents[arguments]
        for parameter, value in pairs:
            if value is default and isinstance(owner, (ast.FunctionDef, ast.AsyncFunctionDef)):
                scope = self._module.scope(owner.body[0])
                for load in self._module.loads(parameter.arg).get(scope, ()):
                    yield from self._climb(load, holds=holds, is_answer=True, seen=seen)

    def _loads(self, name: str, at: ast.AST) -> Iterator[ast.Name]:
        owner = self._module.scope(at)
        for scope, loads in self._module.loads(name).items():
            if self._module.owner(name, scope) is owner:
                yield from loads

    def _skipped(self, skip: ast.Call) -> Iterator[ast.AST]:
        """What a skip decorator, or a name that it is given, stands on."""
        parent = self._module.parents[skip]
        if isinstance(parent, _DEFINITIONS):
            yield from parent.body
        elif isinstance(parent, ast.Assign) and isinstance(target := parent.targets[0], ast.Name):
            if target.id == "pytestmark":
                yield from self._module.tree.body
            for load in self._loads(target.id, target):
                definition = self._module.parents[load]
                if isinstance(definition, _DEFINITIONS):
                    yield from definition.body

    def _rest(self, statement: ast.stmt) -> Iterator[ast.stmt]:
        """What follows a statement, out of ``with`` and ``try`` blocks too."""
        block = self._module.block_of(statement)
        yield from block[block.index(statement) + 1 :]
        parent = self._module.parents[statement]
        if isinstance(parent, _PASSED_THROUGH):
            yield from self._rest(parent)

    def _elements(self, loop: ast.comprehension) -> Iterator[ast.AST]:
        whole = self._module.parents[loop]
        if isinstance(whole, ast.DictComp):
            yield from (whole.key, whole.value)
        elif isinstance(whole, (ast.ListComp, ast.SetComp, ast.GeneratorExp)):
            yield whole.elt


def _is_new(node: ast.AST, seen: set[ast.AST]) -> bool:
    """Whether a flag was not followed yet; each is followed once."""
    is_new = node not in seen
    seen.add(node)
    return is_new


def _flips(comparison: ast.Compare, node: ast.AST) -> bool:
    """Whether a comparison holds where what ``node`` stands for does not."""
    operator = comparison.ops[0]
    others = [other for other in (comparison.left, *comparison.comparators) if other is not node]
    flips = isinstance(operator, _FLIPPING)
    values = [other.value for other in others if isinstance(other, ast.Constant)]
    if None in values:
        return False
    if isinstance(operator, _EQUALITIES) and any(value in (False, 0) for value in values):
        return not flips
    return flips


def _is_boolean(choice: ast.IfExp) -> bool:
    """``True if test else False``."""
    return all(
        isinstance(value, ast.Constant) and isinstance(value.value, bool)
        for value in (choice.body, choice.orelse)
    )


def _says_yes(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is True


def _exits(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        return last_name(statement.value.func) in _EXIT_CALLS
    return isinstance(statement, _EXITS)
