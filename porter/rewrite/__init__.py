"""Apply the edits of a result: in place with a journal, or into a new folder; and undo."""

from porter.rewrite.atomic import write_file
from porter.rewrite.changes import Change, changes, patch
from porter.rewrite.inplace import Written, rewrite
from porter.rewrite.output import write_tree
from porter.rewrite.undo import Undone, undo

__all__ = [
    "Change",
    "Undone",
    "Written",
    "changes",
    "patch",
    "rewrite",
    "undo",
    "write_file",
    "write_tree",
]
