"""Delete a statement without leaving an empty block, or losing a comment."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from porter.codemods.context import Context
from porter.findings import Edit


def remove_statement(context: Context, statement: ast.stmt) -> Iterator[Edit]:
    """Delete the lines of a statement; ``pass`` takes its place where they hold anything else."""
    module = context.module
    start, end = module.span(statement)
    first, last = module.line_start(start), module.line_end(end)
    alone = not module.text[first:start].strip() and not module.text[end:last].strip()
    if alone and not _empties_its_block(context, statement):
        yield Edit(first, last, "")
    else:
        yield Edit(start, end, "pass")


def _empties_its_block(context: Context, statement: ast.stmt) -> bool:
    parent = context.module.parents[statement]
    blocks = (
        block
        for _, block in ast.iter_fields(parent)
        if isinstance(block, list) and statement in block
    )
    block = next(blocks)
    return all(sibling in context.removals for sibling in block)
