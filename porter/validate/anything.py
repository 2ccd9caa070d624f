"""Classes that stand in for anything: they are called and subclassed, and have all attributes."""

from __future__ import annotations

from abc import ABCMeta
from typing import Any


class _Anything(ABCMeta):
    """A class whose attributes are of its own kind; ABCMeta, so that it mixes with others."""

    def __new__(
        cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **_: Any
    ) -> _Anything:
        return super().__new__(cls, name, bases, namespace)

    def __init__(
        cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **_: Any
    ) -> None:
        super().__init__(name, bases, namespace)

    def __getattr__(cls, name: str) -> Any:
        return attribute(name)

    def __getitem__(cls, _: object) -> Any:
        return cls


def anything(name: str) -> Any:
    """A class of this name."""
    attributes = {
        "__init__": lambda self, *_args, **_kwargs: None,
        "__getattr__": lambda self, name: attribute(name),
        "__call__": lambda self, *_args, **_kwargs: anything("result"),
    }
    return _Anything(name, (), attributes)


def attribute(name: str) -> Any:
    """What an attribute of this name is. Raises AttributeError for what Python itself asks for."""
    if name.startswith("__"):
        raise AttributeError(name)
    return anything(name)
