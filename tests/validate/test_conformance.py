"""porter.validate.conformance: what is wrong with a class, and what only looks so."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import wraps
from inspect import signature
from typing import Any

import pytest

from porter.validate.conformance import Member, State, members, refusal


class Root:
    def inherited_from_afar(self) -> None: ...


class Base(Root, ABC):
    def __init__(self, config: str, role: int, cache: object = None) -> None: ...

    @property
    def role(self) -> int:
        return 0

    @abstractmethod
    def load(self, context: str, **more: Any) -> None: ...

    def save(self, layer: str, *, late: bool = False) -> None: ...

    @classmethod
    def layout(cls, config: str) -> str:
        return config

    @staticmethod
    def merge(first: str, second: str) -> str:
        return first + second

    def _private(self) -> None: ...


class Good(Base):
    def __init__(self, config: str, role: int, cache: object = None, more: int = 0) -> None: ...

    def load(self, context: int, **others: Any) -> None: ...

    def save(self, layer: Any, late: Any = True, *rest: Any) -> None: ...

    @classmethod
    def layout(cls, config: str) -> str:
        return config

    def another(self) -> None: ...


def found(ours: type, *own: str) -> dict[str, Member]:
    return {member.name: member for member in members(ours, Base, own)}


def test_a_class_that_answers() -> None:
    states = {name: member.state for name, member in found(Good).items()}
    assert states == {
        "__init__": State.OWN,
        "inherited_from_afar": State.INHERITED,
        "role": State.INHERITED,
        "load": State.OWN,
        "save": State.OWN,
        "layout": State.OWN,
        "merge": State.INHERITED,
    }
    assert {member.what for member in found(Good).values()} == {None}


def test_lines_are_those_of_the_definitions() -> None:
    assert found(Good)["load"].line == Good.load.__code__.co_firstlineno
    assert found(Good)["merge"].line is None


def test_an_abstract_method_that_is_left_out() -> None:
    member = found(type("Ours", (Base,), {}))["load"]
    assert (member.state, member.what) == (State.MISSING, "abstract in Base, and not defined")


def test_a_method_that_must_not_be_left_to_the_base() -> None:
    assert found(Good, "load", "save")["save"].what is None
    member = found(Good, "merge")["merge"]
    assert (member.state, member.what) == (State.MISSING, "left to Base, and must not be")


def test_a_method_that_only_another_release_of_the_base_has() -> None:
    assert "another" not in found(Good, "another")


def test_a_method_that_nobody_has() -> None:
    assert found(Good, "anothre")["anothre"].state is State.MISSING


def test_a_class_that_is_not_derived() -> None:
    states = {member.state for member in found(type("Ours", (), {})).values()}
    assert State.MISSING in states


def load(self: Any, context: str) -> None: ...


def renamed(self: Any, ctx: str, **more: Any) -> None: ...


def wanting(self: Any, context: str, forward: str, **more: Any) -> None: ...


@pytest.mark.parametrize(
    ("name", "ours", "what"),
    [
        ("load", load, "got an unexpected keyword argument 'one_more'"),
        ("load", renamed, "takes 'context' for 'ctx'"),
        ("load", wanting, "missing a required argument: 'forward'"),
        ("load", classmethod(renamed), "is a classmethod, and Base.load a function"),
        ("layout", load, "is a function, and Base.layout a classmethod"),
        ("role", load, "is a function, and Base.role a property"),
        ("merge", staticmethod(lambda second, first: ""), "takes 'first' for 'second'"),
        ("__init__", lambda self, config, role: None, "too many positional arguments"),
        ("__init__", lambda self, config, role, cache: None, "missing a required argument"),
        ("save", lambda self, layer: None, "got an unexpected keyword argument 'late'"),
    ],
)
def test_what_differs_is_named(name: str, ours: Any, what: str) -> None:
    member = found(type("Ours", (Base,), {name: ours}))[name]
    assert member.state is State.DIFFERS
    assert what in str(member.what)
    assert "\n" not in str(member.what)


def test_the_failure_says_what_callers_know() -> None:
    member = found(type("Ours", (Base,), {"load": load}))["load"]
    assert str(member.what).endswith("where callers know Base.load(context, **more)")


def test_a_decorated_method_is_judged_by_what_it_wraps() -> None:
    @wraps(wanting)
    def decorated(*arguments: Any, **keywords: Any) -> None: ...

    member = found(type("Ours", (Base,), {"load": decorated}))["load"]
    assert "missing a required argument: 'forward'" in str(member.what)
    assert member.line == wanting.__code__.co_firstlineno


@pytest.mark.parametrize(
    ("ours", "known", "accepted"),
    [
        (lambda *a, **k: 0, lambda a, b=1, *, c: 0, True),
        (lambda a, b=1: 0, lambda a: 0, True),
        (lambda b, a: 0, lambda a, b: 0, False),
        (lambda a: 0, lambda a, b=1: 0, False),
        (lambda a, b: 0, lambda a, b=1: 0, False),
        (lambda a, **k: 0, lambda a, *, c: 0, True),
        (lambda a, c: 0, lambda a, *, c: 0, True),
        (lambda a, *, c: 0, lambda a, c: 0, False),
        (lambda a: 0, lambda a, *rest: 0, False),
        (lambda x, /: 0, lambda a: 0, False),
        (lambda a, /: 0, lambda a, /: 0, True),
    ],
)
def test_every_call_that_is_known_is_tried(ours: Any, known: Any, accepted: bool) -> None:
    assert (refusal(signature(ours), signature(known)) is None) is accepted
