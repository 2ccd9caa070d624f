"""What Python calls the module in a file."""

from __future__ import annotations

from pathlib import PurePosixPath

#: Folders that hold packages and are none.
_ROOTS = frozenset({"src", "lib", "python"})


def package_of(path: str) -> str:
    """The dotted package that the module at ``path`` lives in."""
    parts = list(PurePosixPath(path).parts[:-1])
    while parts and (parts[0] in _ROOTS or not parts[0].isidentifier()):
        del parts[0]
    return ".".join(parts)


def module_name(path: str) -> str:
    """The dotted name of the module at ``path``, a Python file or a compiled one.

    What follows the first dot of a compiled file's name is no part of it:
    ``acme/ops.cpython-311-x86_64-linux-gnu.so`` is ``acme.ops``. A package's
    ``__init__`` has the package's name.
    """
    package = package_of(path)
    stem = PurePosixPath(path).name.partition(".")[0]
    return ".".join(part for part in (package, stem) if part and part != "__init__")
