"""Find what speaks of CUDA in files that are no Python: scripts, settings, requirements."""

from __future__ import annotations

import configparser
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from porter.scan.construct import Kind
from porter.scan.patterns import ENVIRONMENT
from porter.toml import parse_toml

_SUFFIXES = (
    *(".bash", ".cfg", ".conf", ".dockerfile", ".env", ".ini", ".sbatch", ".sh", ".slurm"),
    *(".toml", ".yaml", ".yml"),
)
_NAMES = re.compile(r"(Dockerfile|Containerfile|\.env)([.\w-]*)")
_REQUIREMENTS = re.compile(r"(requirements|constraints)[\w.-]*\.(txt|in)")
_REQUIREMENT_FOLDER = "requirements"
_METADATA = frozenset({"METADATA", "PKG-INFO"})
_FIELD = re.compile(r"requires-dist:\s*(.+)", re.IGNORECASE)
_SPOKEN = re.compile(
    rf"(?<![A-Za-z0-9_])(?P<environment>{ENVIRONMENT.pattern})(?![A-Za-z0-9_])"
    r"|(?<![\w-])(?P<command>nvidia-smi)(?![\w-])"
    r"|(?P<container>--gpus(?![\w-])|\bnvidia\.com/gpu\b|\bnvcr\.io/|\bnvidia/cuda:"
    r"|(?<=runtime=)nvidia\b|(?<=runtime: )nvidia\b)"
)
_CUDA_BUILD = re.compile(r"\+cu\d+|whl/(nightly/)?cu\d+")
_REMARK = re.compile(r"(?:^|(?<=\s))#.*")
_SEMICOLON = (".cfg", ".ini")


@dataclass(frozen=True)
class Mention:
    """One place of such a file; offsets count characters, ``name`` is what a rule is asked for."""

    kind: Kind
    name: str
    start: int
    end: int


def is_config(path: str) -> bool:
    """Whether ``path`` is a script, a file of settings or requirements, or package metadata."""
    name = PurePosixPath(path).name
    return (
        name.endswith(_SUFFIXES)
        or bool(_NAMES.fullmatch(name))
        or name in _METADATA
        or _lists_requirements(path)
    )


def mentions(path: str, text: str) -> list[Mention]:
    """What a file says about CUDA, in the order of its text; remarks are left out."""
    name = PurePosixPath(path).name
    if name in _METADATA:
        found = _required(text, _metadata(text))
    elif _lists_requirements(path):
        text = _without_remarks(text, "#")
        found = _required(text, text.splitlines())
    else:
        text = _without_remarks(text, "#;" if name.endswith(_SEMICOLON) else "#")
        found = [*_spoken(text)]
        if name in _DECLARED:
            found += _required(text, _DECLARED[name](text))
    return sorted(found, key=lambda mention: mention.start)


def _lists_requirements(path: str) -> bool:
    place = PurePosixPath(path)
    listed = place.parent.name == _REQUIREMENT_FOLDER and place.suffix in (".txt", ".in")
    return listed or bool(_REQUIREMENTS.fullmatch(place.name))


def _without_remarks(text: str, marks: str) -> str:
    """``text`` with blanks for its remarks. A mark inside quotes begins none."""
    return "".join(_blanked(line, marks) for line in text.splitlines(keepends=True))


def _blanked(line: str, marks: str) -> str:
    if line.lstrip().startswith(tuple(marks)):
        return _blanks(line)
    for match in _REMARK.finditer(line):
        before = line[: match.start()]
        if before.count('"') % 2 == 0 and before.count("'") % 2 == 0:
            return before + _blanks(line[match.start() :])
    return line


def _blanks(text: str) -> str:
    return re.sub(r"[^\r\n]", " ", text)


def _spoken(text: str) -> Iterator[Mention]:
    for match in _SPOKEN.finditer(text):
        kind = Kind(str(match.lastgroup))
        yield Mention(kind, match.group().rstrip(":/"), *match.span())


def _required(text: str, requirements: Iterable[str]) -> list[Mention]:
    """Where each of ``requirements``, which come in the order of ``text``, is named there."""
    found: list[Mention] = []
    end = 0
    for written in requirements:
        if not (line := written.strip()):
            continue
        whole = re.compile(rf"(?<![\w.-]){re.escape(line)}(?![\w.-])")
        match = whole.search(text, end) or whole.search(text)
        if match is None:
            continue
        start, end = match.span()
        if _CUDA_BUILD.search(line):
            found.append(Mention(Kind.REQUIREMENT, "+cu", start, end))
        elif name := _distribution(line):
            found.append(Mention(Kind.REQUIREMENT, name, start, end))
    return found


def _distribution(line: str) -> str | None:
    """The name of the distribution that a line requires; hashes and options behind it are cut."""
    try:
        return canonicalize_name(Requirement(re.split(r"\s(?=--)|\s*\\$", line)[0]).name)
    except InvalidRequirement:
        return None


def _metadata(text: str) -> Iterator[str]:
    """The requirements of METADATA; its header ends at the first empty line."""
    for line in text.splitlines():
        if not line.strip():
            return
        if match := _FIELD.fullmatch(line):
            yield match[1]


def _of_pyproject(text: str) -> Iterator[str]:
    document = parse_toml(text)
    project = _table(document, "project")
    groups = (_table(project, "optional-dependencies"), _table(document, "dependency-groups"))
    lists = [
        _table(document, "build-system").get("requires"),
        project.get("dependencies"),
        *(value for group in groups for value in group.values()),
    ]
    for values in lists:
        for value in values if isinstance(values, list) else ():
            if isinstance(value, str):
                yield value
    poetry = _table(_table(document, "tool"), "poetry")
    yield from (*_table(poetry, "dependencies"), *_table(poetry, "dev-dependencies"))


def _table(table: dict[str, Any], name: str) -> dict[str, Any]:
    found = table.get(name)
    return found if isinstance(found, dict) else {}


def _of_setup_cfg(text: str) -> Iterator[str]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return
    for section in parser.sections():
        for key, value in parser.items(section):
            if section == "options.extras_require" or key in ("install_requires", "setup_requires"):
                yield from value.splitlines()


_DECLARED: dict[str, Callable[[str], Iterator[str]]] = {
    "pyproject.toml": _of_pyproject,
    "setup.cfg": _of_setup_cfg,
}
