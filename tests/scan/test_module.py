"""Positions count characters, whatever the encoding and the line ends."""

import ast

import pytest

from porter.scan import Module


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_segments_are_exact(end: str) -> None:
    lines = ["ü = 'größe'; x = torch.cuda", "if x:", "\ty = (torch", "\t     .cuda)", ""]
    module = Module("m.py", end.join(lines))
    segments = [
        module.segment(node)
        for node in module.nodes
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
    ]
    assert segments == ["torch.cuda", f"torch{end}\t     .cuda"]
    assert module.newline == end


def test_form_feeds_and_unicode_breaks_end_no_line() -> None:
    module = Module("m.py", "a = '\u2028'\n\x0c\nb = torch.cuda\n")
    node = next(node for node in module.nodes if isinstance(node, ast.Attribute))
    assert module.segment(node) == "torch.cuda"
    assert module.place(module.span(node)[0]) == (3, 5)


def test_expressions_inside_fstrings_are_found_where_they_stand() -> None:
    module = Module("m.py", 'x = f"""\n  {a.cuda:>{w}} {b.cuda!r}"""\n')
    segments = [module.segment(node) for node in module.nodes if isinstance(node, ast.Attribute)]
    assert segments == ["a.cuda", "b.cuda"]
