"""The beginning of a rule: a row that loads, and whose test fails until somebody completes it."""

from __future__ import annotations

import re

from porter.errors import PorterError
from porter.rulebook.book import Rulebook

#: Stands in every text that is still to be written.
TODO = "TODO"
_FAMILY = re.compile(r"HPU\d")
_MATCH = re.compile(r"(\w+:)?[\w.-]+(\.\*)?")
_ROW = """\
[[rule]]
id = "{id}"
title = "{match}"
match = ["{match}"]
# What takes its place, a name of the bridge's API; without this line the construct is reported.
# replacement = "torch.hpu.some_name"
# exact, modified, no-op, review or unsupported
verdict = "review"
# none, low, medium or high: what is left for a person to do
effort = "medium"
note = "{todo}: what differs on HPU, in a sentence."
source = ["{todo}: where the fact comes from"]
# Code that the rule must not match.
valid = ['''
# {todo}
''']

[[rule.invalid]]
# Code that the rule matches.
code = '''
# {todo}
'''
# What the code becomes; without it, it stays as it is.
# after = '''
# '''
"""


def free_id(book: Rulebook, family: str) -> str:
    """The id after the last one of a family, such as ``HPU3``."""
    if not _FAMILY.fullmatch(family):
        raise PorterError(f"{family}: no family of rules; give HPU and a digit, such as HPU9")
    numbers = [int(rule.id[3:]) for rule in book if rule.family == family]
    number = max(numbers, default=int(family[3:]) * 100 - 1) + 1
    if f"HPU{number:03}"[:4] != family:
        raise PorterError(f"{family}: its last id is given; take another family")
    return f"HPU{number:03}"


def skeleton(book: Rulebook, match: str, family: str) -> tuple[str, str]:
    """Id and TOML text of a row for ``match``, such as ``torch.cuda.some_name``.

    Raises PorterError for what cannot be matched, and for what a rule matches already.
    """
    if not _MATCH.fullmatch(match):
        raise PorterError(f"{match!r}: no name; give a dotted one, such as torch.cuda.some_name")
    for rule in book:
        if match in rule.match:
            raise PorterError(
                f"{match}: {rule.id} matches it; a row of yours with that id takes its place"
            )
    identifier = free_id(book, family)
    return identifier, _ROW.format(id=identifier, match=match, todo=TODO)
