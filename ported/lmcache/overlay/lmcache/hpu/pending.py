"""Names that are there before what they stand for, and say so when they are used."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import NoReturn


def pending(operation: Callable[..., object]) -> Callable[..., NoReturn]:
    """A function that has a description and no body yet."""

    @wraps(operation)
    def refuse(*_args: object, **_kwargs: object) -> NoReturn:
        raise _not_implemented(f"{operation.__module__}.{operation.__qualname__}")

    _operations.add(refuse)
    return refuse


_operations: set[object] = set()


class Pending(type):
    """The class of classes that have a description and no body yet."""

    def __call__(cls, *_args: object, **_kwargs: object) -> NoReturn:
        raise _not_implemented(f"{cls.__module__}.{cls.__qualname__}")

    def __getattr__(cls, name: str) -> NoReturn:
        if name.startswith("__"):  # asked by Python itself, which expects this answer
            raise AttributeError(name)
        raise _not_implemented(f"{cls.__module__}.{cls.__qualname__}.{name}")


def is_pending(value: object) -> bool:
    """Whether ``value`` is such a function or class."""
    return isinstance(value, Pending) or value in _operations


def _not_implemented(name: str) -> NotImplementedError:
    return NotImplementedError(
        f"{name} is not implemented yet: this port of LMCache does not run on Gaudi; "
        "PORTED.md in its .dist-info folder lists what is missing"
    )
