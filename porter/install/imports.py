"""Import modules and tell what came of it: run as a program by the interpreter that is asked.

The request is a JSON object: ``own`` are top-level names, ``connectors`` pairs of a module and
the one that calls it, which is imported first. Prints one JSON object a line.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from importlib.util import find_spec

_request = json.loads(sys.argv[1])
_own = _request["own"]


def _failure(module: str) -> tuple[str | None, str | None]:
    """(what is missing, error): of an import that works, both are None."""
    try:
        import_module(module)
    except ModuleNotFoundError as error:
        top = (error.name or "").partition(".")[0]
        if top and top not in _own and find_spec(top) is None:
            return top, None
        return None, f"{type(error).__name__}: {error}"
    except Exception as error:
        return None, f"{type(error).__name__}: {error}"
    return None, None


def _say(module: str, missing: str | None, error: str | None) -> None:
    answer = {"module": module, "missing": missing, "error": error}
    print("\n" + json.dumps({"porter": answer}), flush=True)


for _module in _own:
    _say(_module, *_failure(_module))
for _module, _caller in _request["connectors"]:
    _missing, _error = _failure(_caller)
    if _missing or _error:
        _say(_module, _missing or f"{_caller} ({_error})", None)
    else:
        _say(_module, *_failure(_module))
