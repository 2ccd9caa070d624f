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
    empties = all(sibling in context.removals for sibling in module.block_of(statement))
    if alone and not empties:
        yield Edit(first, last, "")
    else:
        yield Edit(start, end, "pass")
