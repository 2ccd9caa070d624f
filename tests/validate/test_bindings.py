"""What a module binds, by its text."""

from __future__ import annotations

import ast
from textwrap import dedent

from porter.validate.bindings import Bindings, bindings


def read(text: str) -> Bindings:
    return bindings(ast.parse(dedent(text)))


def test_every_statement_that_binds() -> None:
    found = read(
        """
        import a, b.c, d.e as f
        from g import h, i as j
        k = l.m = n[0] = 1
        (o, [p, q]) = r
        s: int = 1
        t: int
        def u(inside): v = 1
        class W: x = 1
        for y in z: pass
        with aa as bb: cc = 1
        try: dd = 1
        except E: ee = 1
        else: ff = 1
        finally: gg = 1
        if hh: ii = 1
        else: jj = 1
        while kk: ll = 1
        match mm:
            case 1: nn = 1
        """
    )
    assert set(found.names) == {
        *("a", "b", "f", "h", "j", "k", "o", "p", "q", "s", "u", "W", "y", "bb", "cc", "dd"),
        *("ee", "ff", "gg", "ii", "jj", "ll", "nn"),
    }


def test_the_first_of_several_decides() -> None:
    found = read("try: from a import b\nexcept ImportError: b = None")
    assert isinstance(found.names["b"], ast.ImportFrom)


def test_what_only_a_type_checker_sees() -> None:
    text = "if TYPE_CHECKING:\n    A: int\n    from b import B\nelse:\n    C = 1\n"
    assert set(read(text).names) == {"C"}
    assert not read(text).promised
    lazy = read(text + "def __getattr__(name): ...\n")
    assert lazy.promised == {"A", "B"}


def test_stars() -> None:
    found = read("from a import *\nfrom .b import c")
    assert [star.module for star in found.stars] == ["a"]
    assert set(found.names) == {"c"}
