"""How a class answers to the base class that its callers know, by reflection."""

from __future__ import annotations

from abc import ABC
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import Enum
from inspect import Parameter, Signature, getattr_static, signature, unwrap
from types import FunctionType
from typing import Any


class State(str, Enum):
    OWN = "ok"
    INHERITED = "inherited"
    MISSING = "missing"
    DIFFERS = "differs"


@dataclass(frozen=True)
class Member:
    """``what`` is wrong with it, or None; ``line`` is where it is defined, if a class has it."""

    name: str
    state: State
    what: str | None = None
    line: int | None = None


def members(ours: type, base: type, own: Collection[str]) -> Iterator[Member]:
    """What ``base`` has, its constructor first, and how ``ours`` has it.

    ``own`` are names that must not be left to ``base``, where it has them.
    """
    classes = [item for item in reversed(base.__mro__) if item not in (object, ABC)]
    public = (name for item in classes for name in vars(item) if not name.startswith("_"))
    listed = ["__init__", *dict.fromkeys(public)]
    for name in listed:
        yield _member(name, ours, base, name in own)
    for name in own:
        if name not in listed and getattr_static(ours, name, None) is None:
            what = "neither class has it, and the recipe says that it must be defined"
            yield Member(name, State.MISSING, what)


def _member(name: str, ours: type, base: type, needed: bool) -> Member:
    theirs, mine = getattr_static(base, name), getattr_static(ours, name, None)
    if mine is theirs:
        if name in getattr(base, "__abstractmethods__", ()):
            return Member(name, State.MISSING, f"abstract in {base.__name__}, and not defined")
        if needed:
            return Member(name, State.MISSING, f"left to {base.__name__}, and must not be")
        return Member(name, State.INHERITED)
    if mine is None:
        return Member(name, State.MISSING, f"{base.__name__} has it")
    what = _difference(mine, theirs, f"{base.__name__}.{name}")
    return Member(name, State.DIFFERS if what else State.OWN, what, _line(mine))


def _difference(mine: Any, theirs: Any, where: str) -> str | None:
    if type(mine) is not type(theirs):
        return f"is a {type(mine).__name__}, and {where} a {type(theirs).__name__}"
    if not isinstance(theirs, (FunctionType, classmethod, staticmethod)):
        return None
    known = _parameters(theirs)
    problem = refusal(_parameters(mine), known)
    return None if problem is None else f"{problem}, where callers know {where}{known}"


def refusal(ours: Signature, known: Signature) -> str | None:
    """Why ``ours`` cannot be called in every way that ``known`` allows, or None.

    An argument that arrives in a parameter of another name is a reason, too.
    """
    for arguments, keywords in _calls(known):
        try:
            bound = ours.bind(*arguments, **keywords)
        except TypeError as error:
            return str(error)
        for name, value in bound.arguments.items():
            if ours.parameters[name].kind not in _REST and value != name:
                return f"takes {value!r} for {name!r}"
    return None


_REST = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
_BY_PLACE = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


def _calls(known: Signature) -> Iterator[tuple[list[str], dict[str, str]]]:
    """Calls that ``known`` allows; each argument is the name of its parameter."""
    parameters = known.parameters.values()
    plain = [item for item in parameters if item.kind not in _REST]
    needed = [item for item in plain if item.default is Parameter.empty]
    for given in (plain, needed):
        yield _call(given, _BY_PLACE)
        yield _call(given, (Parameter.POSITIONAL_ONLY,))
    arguments, keywords = _call(plain, _BY_PLACE)
    kinds = {item.kind for item in parameters}
    if Parameter.VAR_POSITIONAL in kinds:
        yield [*arguments, "one more"], keywords
    if Parameter.VAR_KEYWORD in kinds:
        yield arguments, {**keywords, "one_more": "one_more"}


def _call(given: list[Parameter], places: Collection[Any]) -> tuple[list[str], dict[str, str]]:
    arguments = [item.name for item in given if item.kind in places]
    return arguments, {item.name: item.name for item in given if item.kind not in places}


def _parameters(method: Any) -> Signature:
    """Without the instance or the class, and without annotations."""
    function = method if isinstance(method, FunctionType) else method.__func__
    parameters = list(signature(function).parameters.values())
    if not isinstance(method, staticmethod):
        parameters = parameters[1:]
    return Signature([item.replace(annotation=Parameter.empty) for item in parameters])


def _line(attribute: Any) -> int | None:
    function = getattr(attribute, "fget", None) or getattr(attribute, "__func__", attribute)
    code = getattr(unwrap(function), "__code__", None) if callable(function) else None
    return getattr(code, "co_firstlineno", None)
