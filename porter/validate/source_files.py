"""Every Python file compiles, and no merge was left half done."""

from __future__ import annotations

import re
import warnings

from porter.sources.text import SourceText
from porter.validate.rung import Failure

_MARKER = re.compile(r"^(<{7}|>{7}|\|{7})(?= |$)", re.MULTILINE)


def read_source(data: bytes, path: str) -> str | Failure:
    """The decoded text of a module that compiles, else what keeps it from that.

    Nothing is written: the code is compiled in memory and thrown away.
    """
    try:
        text = SourceText.decode(data).text
        if marker := _MARKER.search(text):
            line = text.count("\n", 0, marker.start()) + 1
            return Failure(path, line, "a conflict marker", "resolve the conflict")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, path, "exec", dont_inherit=True)
    except SyntaxError as error:
        return Failure(path, error.lineno or 1, f"does not compile: {error.msg}", "correct it")
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        return Failure(path, 1, f"does not compile: {error}", "correct it")
    return text
