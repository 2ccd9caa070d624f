"""Availability guards: a branch that needs CUDA must not open on HPU.

``if torch.cuda.is_available():`` around a CUDA kernel stays as it is, and so
does everything inside; around code that was ported it asks for HPU instead.
A choice that already has an arm for HPU is left alone.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from porter.codemods.context import Context, Decision
from porter.codemods.regions import Regions
from porter.scan import Kind
from porter.scan.choices import has_other_arm
from porter.scan.module import is_none, last_name
from porter.scan.vocabulary import DEVICES

CUDA_ONLY_GUARD = "HPU010"
INSIDE_CUDA_ONLY = "HPU011"
HAS_HPU_ARM = "HPU012"
COVERED = "HPU213"

_AVAILABILITY = re.compile(
    r"torch\.(cuda\.(is_\w+|device_count|get_device_\w+)"
    r"|version\.cuda|backends\.cud\w+\.(is_\w+|enabled|version))"
)
_PLATFORM = ("is_cuda", "is_cuda_alike")


def keep_guards_sound(context: Context) -> None:
    """Withdraw the edits of every guard that must stay shut, and of what it guards."""
    regions = Regions(context.module)
    obstacles = _Obstacles(context)
    guards = [
        decision
        for decision in context.decisions
        if _may_guard(decision) and decision.rule.id not in (CUDA_ONLY_GUARD, HAS_HPU_ARM)
    ]
    for guard in sorted(guards, key=lambda guard: _start(context, guard), reverse=True):
        region = regions.guarded_by(guard.construct.node)
        if not region:
            continue
        inside = _within(context, region)
        has_arm = _has_hpu_arm(context, guard)
        if not (guard.fixable or has_arm):
            continue
        if reason := obstacles.in_region(inside, region):
            guard.keep(context.book[CUDA_ONLY_GUARD], f"it needs {reason}")
            _keep_all(context, inside, INSIDE_CUDA_ONLY)
        elif has_arm:
            guard.keep(context.book[HAS_HPU_ARM])
            _keep_all(context, inside, HAS_HPU_ARM)


def opened_guards(context: Context) -> Iterator[tuple[Decision, Decision]]:
    """Each guard that asks for HPU now, with every decision that could shut it again."""
    regions = Regions(context.module)
    obstacles = _Obstacles(context)
    for guard in context.decisions:
        if guard.fixable and _may_guard(guard):
            region = regions.guarded_by(guard.construct.node)
            for decision in obstacles.possible(region):
                yield guard, decision


def _may_guard(decision: Decision) -> bool:
    """Whether a construct answers if CUDA is there: availability, or the device of something."""
    construct = decision.construct
    if not isinstance(construct.node, ast.expr):
        return False
    if construct.kind is Kind.NAME:
        return bool(_AVAILABILITY.fullmatch(construct.name))
    return construct.kind in (Kind.DEVICE, Kind.ATTRIBUTE) or construct.name in _PLATFORM


def _start(context: Context, guard: Decision) -> int:
    """Where a guard stands; one inside another stands later."""
    return context.module.span(guard.construct.node)[0]


def _has_hpu_arm(context: Context, guard: Decision) -> bool:
    node = guard.construct.node
    assert isinstance(node, ast.expr)
    if isinstance(context.module.parents[node], ast.MatchValue):
        return guard.rule.id == COVERED
    test = next(
        (
            above
            for above in context.module.ancestors(node)
            if isinstance(above, (ast.Compare, ast.Call))
        ),
        node,
    )
    return has_other_arm(context.module, test, DEVICES)


def _within(context: Context, region: list[ast.AST]) -> list[Decision]:
    """The decisions about what stands in a region, in its order."""
    places = {node: place for place, node in enumerate(region)}
    found: list[tuple[int, Decision]] = []
    for decision in context.decisions:
        node = decision.construct.node
        around = (node, *context.module.ancestors(node))
        place = next((places[above] for above in around if above in places), None)
        if place is not None:
            found.append((place, decision))
    return [decision for _, decision in sorted(found, key=lambda pair: pair[0])]


def _keep_all(context: Context, decisions: list[Decision], identifier: str) -> None:
    for decision in decisions:
        decision.shielded = True
        if decision.fixable:
            decision.keep(context.book[identifier])


class _Obstacles:
    """What fails on HPU: constructs that stay, libraries in use, functions that need either."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._decisions: dict[ast.AST, set[Decision]] = {}
        for decision in context.decisions:
            self._decisions.setdefault(decision.construct.node, set()).add(decision)
        self._imports = {
            decision.construct.node
            for decision in context.decisions
            if decision.blocks and isinstance(decision.construct.node, ast.alias)
        }
        self._libraries = {
            name for alias, name, _ in context.module.imported if alias in self._imports
        }
        self._functions = {node.name: node for node in context.module.functions}

    def in_region(self, inside: Iterable[Decision], region: Iterable[ast.AST]) -> str | None:
        """The name of something in the region that fails on HPU."""
        return next(self._found(inside, region, set()), None)

    def possible(self, region: Iterable[ast.AST]) -> set[Decision]:
        """The decisions in the region, in functions that it calls, and on imports that it uses."""
        found: set[Decision] = set()
        pending, seen = list(region), set[str]()
        while pending:
            nodes = list(ast.walk(pending.pop()))
            for node in nodes:
                found |= self._decisions.get(node, set())
                name = ""
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                    name = node.id
                    for binding in self._context.module.bindings(node):
                        found |= self._decisions.get(binding.node, set())
                elif isinstance(node, ast.Call) and _is_own_method(node.func):
                    name = last_name(node.func)
                if name in self._functions and name not in seen:
                    seen.add(name)
                    pending.append(self._functions[name])
        return found

    def _found(
        self, inside: Iterable[Decision], region: Iterable[ast.AST], seen: set[str]
    ) -> Iterator[str]:
        for decision in inside:
            if decision.blocks and not decision.shielded:
                yield decision.construct.name
        for node in (node for top in region for node in ast.walk(top)):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                if node.id in self._libraries and self._is_library(node):
                    yield node.id
                if node.id in self._functions:
                    yield from self._in_function(node.id, seen)
            elif isinstance(node, ast.Call) and _is_own_method(node.func):
                yield from self._in_function(last_name(node.func), seen)

    def _in_function(self, name: str, seen: set[str]) -> Iterator[str]:
        function = self._functions.get(name)
        if function is None or name in seen:
            return
        seen.add(name)
        inside = _within(self._context, [*function.body, *function.decorator_list])
        yield from self._found(inside, [*function.decorator_list, *function.body], seen)

    def _is_library(self, node: ast.Name) -> bool:
        """Whether a name is imported from a library for CUDA, the fallback None aside."""
        bindings = [
            binding for binding in self._context.module.bindings(node) if not is_none(binding.value)
        ]
        return bool(bindings) and all(binding.node in self._imports for binding in bindings)


def _is_own_method(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id in ("self", "cls")
    )
