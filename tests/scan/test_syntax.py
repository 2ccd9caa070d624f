"""Statements are known at once; what stands in them is found by words, and parents by asking."""

import ast
from itertools import pairwise

import pytest

from porter.scan.syntax import Syntax

CODE = """\
import torch; x = 1

@decorated(
    mark)
def f(a=default):
    try:
        g(first,
          second); h()
    except Error as e:
        pass
    match a:
        case [Some(),
              other]: y = one
"""


@pytest.mark.parametrize(
    ("word", "kinds"),
    [
        ("torch", [ast.Import, ast.Assign]),
        ("mark", [ast.FunctionDef]),
        ("default", [ast.FunctionDef]),
        ("second", [ast.Expr, ast.Expr]),
        ("Error", [ast.ExceptHandler]),
        ("other", [ast.match_case, ast.Assign]),
        ("oth", []),
    ],
)
def test_a_word_leads_to_the_statements_on_its_lines(word: str, kinds: list[type]) -> None:
    syntax = Syntax(CODE)
    found = list(syntax.mentioning(word))
    assert [type(node) for node in syntax.statements if node in found] == kinds


def test_every_node_has_the_parent_that_it_stands_in() -> None:
    syntax = Syntax(CODE)
    asked = Syntax(CODE)
    expected = [
        child
        for node in ast.walk(asked.tree)
        for child in ast.iter_child_nodes(node)
        if not isinstance(child, (ast.expr_context, ast.operator))
    ]
    for child in expected:
        assert child in ast.iter_child_nodes(asked.parents[child])
    assert len(list(syntax.nodes)) == len(expected)


@pytest.mark.parametrize(
    "code", ["", "a = (\n1); b = 2\nc", CODE, "@d\ndef f(): pass\n# end", "x\r\ny = '''\r\n'''\r\n"]
)
def test_a_text_can_be_cut_where_each_part_parses(code: str) -> None:
    cuts = Syntax(code).cuts
    parts = [code[start:end] for start, end in pairwise(cuts)]
    assert "".join(parts) == code
    whole = [ast.dump(node) for node in ast.parse(code).body]
    assert [ast.dump(node) for part in parts for node in ast.parse(part).body] == whole
