"""Choices between devices: does another arm of the same choice serve ours already?"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from porter.scan.module import Module
from porter.scan.vocabulary import Vocabulary


def stands_beside(module: Module, test: ast.expr, words: Vocabulary) -> bool:
    """Whether an ``or``, or another arm of the same ``if`` chain, tests for our device."""
    node: ast.AST = test
    for above in module.ancestors(test):
        if isinstance(above, ast.BoolOp):
            if any(_tests_for_ours(value, words) for value in above.values):
                return True
        elif isinstance(above, (ast.If, ast.IfExp)) and node is above.test:
            arms = _arms(_top(module, above))
            return any(_tests_for_ours(arm.test, words) for arm in arms)
        elif not isinstance(above, ast.UnaryOp):
            return False
        node = above
    return False


def _top(module: Module, branch: ast.If | ast.IfExp) -> ast.If | ast.IfExp:
    """The ``if`` that the chain of ``elif`` arms around a branch starts with."""
    while isinstance(parent := module.parents[branch], type(branch)) and (
        parent.orelse == [branch] or parent.orelse is branch
    ):
        branch = parent
    return branch


def _arms(branch: ast.AST) -> Iterator[ast.If | ast.IfExp]:
    """A branch and the ``elif`` arms below it."""
    while isinstance(branch, (ast.If, ast.IfExp)):
        yield branch
        rest = branch.orelse
        if isinstance(rest, list):
            if len(rest) != 1:
                return
            branch = rest[0]
        else:
            branch = rest


def _tests_for_ours(test: ast.expr, words: Vocabulary) -> bool:
    return any(
        words.is_ours(node) or (isinstance(node, ast.Attribute) and node.attr in ("hpu", "is_hpu"))
        for node in ast.walk(test)
    )
