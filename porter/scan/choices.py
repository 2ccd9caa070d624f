"""Choices between devices: is ours served by another arm already?"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from porter.scan.module import Module
from porter.scan.vocabulary import Vocabulary

_OUR_NAME = re.compile(r"hpu|habana|gaudi", re.IGNORECASE)

_Branch = ast.If | ast.IfExp


def stands_beside(module: Module, test: ast.expr, words: Vocabulary) -> bool:
    """Whether the same ``or``, or another arm of the choice, tests for our device."""
    return any(
        _tests_for_ours(value, words)
        for above in module.ancestors(test)
        if isinstance(above, ast.BoolOp)
        for value in above.values
    ) or has_other_arm(module, test, words)


def has_other_arm(module: Module, test: ast.expr, words: Vocabulary) -> bool:
    """Whether an ``elif``, an ``else`` or a neighbouring ``if`` tests for our device."""
    branch = _branch_of(module, test)
    if branch is None or _tests_for_ours(branch.test, words):
        return False
    return any(
        _tests_for_ours(arm.test, words) for arm in _choice(module, branch) if arm is not branch
    )


def _branch_of(module: Module, test: ast.expr) -> _Branch | None:
    """The branch whose test an expression is, or is a part of."""
    node: ast.AST = test
    for above in module.ancestors(test):
        if isinstance(above, (ast.If, ast.IfExp)) and node is above.test:
            return above
        if not isinstance(above, (ast.BoolOp, ast.UnaryOp, ast.Compare, ast.Call)):
            return None
        node = above
    return None


def _choice(module: Module, branch: _Branch) -> Iterator[_Branch]:
    """All arms of the choice that a branch belongs to, and the ``if`` beside it on the same."""
    top = branch
    while isinstance(parent := module.parents[top], type(branch)) and (
        parent.orelse == [top] or parent.orelse is top
    ):
        top = parent
    yield from _arms(top)
    subject = _subject(branch.test)
    if isinstance(top, ast.If) and subject is not None:
        block = module.block_of(top)
        position = block.index(top)
        for neighbour in (*block[max(position - 1, 0) : position], *block[position + 1 :][:1]):
            if isinstance(neighbour, ast.If) and _subject(neighbour.test) == subject:
                yield neighbour


def _subject(test: ast.expr) -> str | None:
    """What is compared in ``device.type == "cuda"``."""
    return ast.dump(test.left) if isinstance(test, ast.Compare) else None


def _arms(branch: ast.AST) -> Iterator[_Branch]:
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
        words.is_ours(node)
        or (isinstance(node, ast.Name) and _OUR_NAME.search(node.id))
        or (isinstance(node, ast.Attribute) and _OUR_NAME.search(node.attr))
        for node in ast.walk(test)
    )
