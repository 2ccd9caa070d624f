"""Unified patches, byte for byte, as ``git apply`` and ``patch -p1`` take them."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

_EMPTY, _ABSENT = b"e69de29", b"0000000"  # as git names the blobs
_LONG = 5000
_QUOTED = {7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r"}
_QUOTED |= {ord('"'): '\\"', ord("\\"): "\\\\"}


def unified_patch(path: str, before: bytes | None, after: bytes | None) -> bytes:
    """The patch that turns ``before`` into ``after``, empty where they are equal.

    None stands for a file that does not exist. Paths are relative and use ``/``.
    Line ends, bytes of any encoding and a missing final newline are kept.
    """
    if before == after:
        return b""
    old, new = _name(f"a/{path}"), _name(f"b/{path}")
    header = [b"diff --git %s %s\n" % (old, new)]
    if before is None:
        header.append(b"new file mode 100644\n")
    if after is None:
        header.append(b"deleted file mode 100644\n")
    hunks = list(_hunks(_lines(before), _lines(after)))
    if hunks:
        header.append(b"--- %s\n" % (b"/dev/null" if before is None else _ended(old)))
        header.append(b"+++ %s\n" % (b"/dev/null" if after is None else _ended(new)))
    else:
        blobs = [_ABSENT if data is None else _EMPTY for data in (before, after)]
        header.append(b"index %s..%s\n" % tuple(blobs))
    return b"".join([*header, *hunks])


def _lines(data: bytes | None) -> list[bytes]:
    """Split at line feeds only: a carriage return is a byte of the line."""
    return io.BytesIO(data or b"").readlines()


def _hunks(before: Sequence[bytes], after: Sequence[bytes]) -> Iterator[bytes]:
    # Taking frequent lines for junk is quick, and shuffles blank lines: only for long files.
    matcher = SequenceMatcher(None, before, after, autojunk=len(before) > _LONG)
    for group in matcher.get_grouped_opcodes():
        (_, old_start, _, new_start, _), (_, _, old_end, _, new_end) = group[0], group[-1]
        yield f"@@ -{_range(old_start, old_end)} +{_range(new_start, new_end)} @@\n".encode()
        for tag, old_from, old_to, new_from, new_to in group:
            if tag == "equal":
                yield from (_marked(b" ", line) for line in before[old_from:old_to])
            else:
                yield from (_marked(b"-", line) for line in before[old_from:old_to])
                yield from (_marked(b"+", line) for line in after[new_from:new_to])


def _range(start: int, end: int) -> str:
    length = end - start
    if length == 1:
        return f"{start + 1}"
    return f"{start + 1 if length else start},{length}"


def _marked(mark: bytes, line: bytes) -> bytes:
    if line.endswith(b"\n"):
        return mark + line
    return mark + line + b"\n\\ No newline at end of file\n"


def _name(name: str) -> bytes:
    """The name as git prints it: in C quotes where it holds a quote, a backslash or a control."""
    quoted = "".join(
        _QUOTED.get(ord(char)) or (f"\\{ord(char):03o}" if ord(char) < 32 else char)
        for char in name
    )
    return os.fsencode(name if quoted == name else f'"{quoted}"')


def _ended(name: bytes) -> bytes:
    """A tab ends a name with a space, or ``patch`` would take the rest for a date."""
    return name + b"\t" if b" " in name and not name.startswith(b'"') else name
