"""Show text of a source as it is, and not as it would like to be seen."""

from __future__ import annotations

import re

#: Controls, line ends among them, what reorders a line (bidirectional), and lone surrogates.
_UNSEEN = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


def visible(line: str) -> str:
    """Escape what would move the cursor, hide, reorder or cannot be encoded; tabs stay."""
    return _UNSEEN.sub(lambda match: ascii(match[0])[1:-1], line)
