"""Stand-ins for objects of a package that is not there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pytest

from porter.validate.anything import anything

Base = anything("Base")
T = TypeVar("T")


def test_it_is_called_and_asked_for_attributes() -> None:
    assert Base(1, key=2).attribute("x").more is not None
    assert Base.MEMBER.value is not None


def test_it_decorates() -> None:
    @anything("jit")
    def kernel() -> None: ...

    @anything("option")(1)
    def other() -> None: ...

    assert kernel is not None
    assert other is not None


def test_it_is_subclassed_beside_others_and_with_options() -> None:
    class Plain(Base, tag=True):  # type: ignore[misc, valid-type]
        def __init__(self, size: int) -> None:
            super().__init__(size, 1)
            self.size = size

    class Abstract(ABC):
        @abstractmethod
        def method(self) -> None: ...

    class Both(Abstract, Base, Generic[T]):  # type: ignore[misc, valid-type]
        def method(self) -> None: ...

    @dataclass
    class Data(Base):  # type: ignore[misc, valid-type]
        name: str

    assert Plain(3).size == 3
    assert isinstance(Both(), Abstract)
    assert Data("x").name == "x"


def test_it_stands_in_annotations() -> None:
    assert Base | None
    assert dict[str, Base[int]]


@pytest.mark.parametrize("owner", [Base, Base()])
def test_what_python_itself_asks_for_is_not_there(owner: Any) -> None:
    with pytest.raises(AttributeError):
        owner.__iter__  # noqa: B018
