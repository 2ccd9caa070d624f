"""No requirement that only CUDA has, by the metadata of the package."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from packaging.requirements import InvalidRequirement, Requirement

from porter.validate.cuda_only import requirement_reason
from porter.validate.rung import Failure

_FIELD = "requires-dist:"
_CUDA_BUILD = re.compile(r"\+cu\d+")
_QUOTED = re.compile(r'"[^"]*"')


class CudaRequirement(NamedTuple):
    failure: Failure
    is_optional: bool


def cuda_requirements(metadata: str, path: str) -> Iterator[CudaRequirement]:
    """Requirements of no use without CUDA; those behind an extra are optional.

    Raises nothing: a requirement that cannot be parsed is a failure of its own.
    """
    for line, text in _requirements(metadata):
        try:
            requirement = Requirement(text)
        except InvalidRequirement as error:
            cause = str(error).splitlines()[0]
            failure = Failure(path, line, f"{text!r} is no requirement ({cause})", "correct it")
            yield CudaRequirement(failure, is_optional=False)
            continue
        reason = requirement_reason(requirement.name)
        if reason is None and _CUDA_BUILD.search(str(requirement.specifier)):
            reason = "a build for CUDA"
        if reason is not None:
            what = f"requires {requirement.name} ({reason})"
            failure = Failure(path, line, what, "drop it in the recipe")
            yield CudaRequirement(failure, _is_optional(requirement))


def _is_optional(requirement: Requirement) -> bool:
    return "extra" in _QUOTED.sub("", str(requirement.marker or ""))


def _requirements(metadata: str) -> Iterator[tuple[int, str]]:
    """Line and text of each requirement; the header ends at the first empty line."""
    for number, line in enumerate(metadata.splitlines(), start=1):
        if not line.strip():
            return
        if line.lower().startswith(_FIELD):
            yield number, line[len(_FIELD) :].strip()
