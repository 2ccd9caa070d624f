"""Syntax colours of a line, in the compact form that the page reads."""

from __future__ import annotations

from functools import cache
from itertools import groupby

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_for_filename
from pygments.lexers.python import PythonLexer
from pygments.lexers.special import TextLexer
from pygments.token import Token, _TokenType
from pygments.util import ClassNotFound

from porter.sources.tree import is_python

#: The style of a token, by the nearest type above its own; the style sheet has a class for each.
_STYLES: dict[_TokenType, str] = {
    Token: "-",
    Token.Comment: "c",
    Token.Keyword: "k",
    Token.Keyword.Constant: "l",
    Token.Operator.Word: "k",
    Token.Literal.Number: "l",
    Token.Literal.String: "s",
    Token.Literal.String.Interpol: "-",
    Token.Name.Builtin: "b",
    Token.Name.Class: "f",
    Token.Name.Decorator: "d",
    Token.Name.Exception: "b",
    Token.Name.Function: "f",
}


def colours(path: str, line: str, inside: str = "") -> str:
    """How a line is coloured: ``4k1-6f`` is 4 characters as a keyword, 1 plain, 6 as a name.

    ``inside`` is the quote of the string that the line begins in. A line without
    any colour is empty.
    """
    styles = ["-"] * len(line)
    lead = len(inside)
    for offset, kind, value in _lexer(path).get_tokens_unprocessed(f"{inside}{line}\n"):
        style = _style(kind)
        if style != "-":
            first = max(offset - lead, 0)
            last = min(offset + len(value) - lead, len(line))
            styles[first:last] = style * (last - first)
    runs = [f"{len(list(run))}{style}" for style, run in groupby(styles)]
    return "".join(runs) if set(styles) - {"-"} else ""


@cache
def _style(kind: _TokenType) -> str:
    while kind not in _STYLES:
        assert kind.parent is not None
        kind = kind.parent
    return _STYLES[kind]


def _lexer(path: str) -> Lexer:
    name = "x.py" if is_python(path) else path.rpartition("/")[2]
    return _lexer_of_name(name)


@cache
def _lexer_of_name(name: str) -> Lexer:
    if name == "x.py":
        return PythonLexer(stripnl=False, ensurenl=False)
    try:
        return get_lexer_for_filename(name, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return TextLexer(stripnl=False, ensurenl=False)
