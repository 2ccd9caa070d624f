"""Find what speaks of CUDA in files that are no Python: scripts, builds, settings, requirements."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from porter.scan import requirements
from porter.scan.construct import Kind, Mention
from porter.scan.patterns import ENVIRONMENT

_KERNELS = ".cu"
_SUFFIXES = (
    *(".bash", ".cfg", ".conf", ".dockerfile", ".env", ".ini", ".sbatch", ".sh", ".slurm"),
    *(".cmake", ".json", ".make", ".mk", ".toml", ".yaml", ".yml", _KERNELS),
)
_NAMES = re.compile(
    r"(Dockerfile|Containerfile|\.env)([.\w-]*)|(GNU)?[Mm]akefile([.-]\w+)*|CMakeLists\.txt"
)
_REQUIREMENTS = re.compile(r"(requirements|constraints)[\w.-]*\.(txt|in)")
_REQUIREMENT_FOLDER = "requirements"
_METADATA = frozenset({"METADATA", "PKG-INFO"})
_SPOKEN = re.compile(
    rf"(?<![A-Za-z0-9_])(?P<environment>{ENVIRONMENT.pattern})(?![A-Za-z0-9_])"
    r"|(?<![\w-])(?P<command>nvidia-smi|nvcc)(?![\w-])"
    r"|(?P<container>--gpus(?![\w-])|\bnvidia\.com/gpu\b|\bnvcr\.io/|\bnvidia/cuda:"
    r"|(?<=runtime=)nvidia\b|(?<=runtime: )nvidia\b)"
)
_CMAKE = re.compile(
    r"\bnvcc\b|\bfind_package\s*\(\s*CUDA\w*|\benable_language\s*\(\s*CUDA\b"
    r"|\bproject\s*\([^)]*\bCUDA(?=\s*\)|\s+[A-Z])|\bENV\{CUDA_\w+"
)
#: Of JSON files, those of settings are small; others hold the words of a vocabulary.
_LARGEST_JSON = 1_000_000
_KEY_ENDS = re.compile(r'"\s*:')
_REMARK = re.compile(r"(?:^|(?<=\s))#.*")
_SEMICOLON = (".cfg", ".ini")
#: One of these stands in every text that speaks of CUDA.
_PARTS = ("CUDA", "NCCL_", "CUBLAS_", "CUDNN_", "NVIDIA_", "nvidia", "nvcc", "nvcr.io", "--gpus")


def is_config(path: str) -> bool:
    """Whether ``path`` is a script, a file of settings or requirements, or package metadata."""
    name = path.rpartition("/")[2]
    return (
        name.endswith(_SUFFIXES)
        or bool(_NAMES.fullmatch(name))
        or name in _METADATA
        or _lists_requirements(path)
    )


def mentions(path: str, text: str) -> list[Mention]:
    """What a file says about CUDA, in the order of its text; remarks are left out."""
    name = PurePosixPath(path).name
    if name.endswith(_KERNELS):
        return [Mention(Kind.SOURCE, "cuda", 0, 0)]
    if name in _METADATA:
        found = requirements.listed(text, requirements.of_metadata(text))
    elif _lists_requirements(path):
        text = without_remarks(path, text)
        found = requirements.listed(text, text.splitlines())
    elif name.endswith(".json"):
        found = [*_set_in_json(path, text)]
    elif name == "CMakeLists.txt" or name.endswith(".cmake"):
        found = [*_built_by_cmake(without_remarks(path, text))]
    else:
        text = without_remarks(path, text)
        found = [*_spoken(text), *requirements.declared(name, text)]
    return sorted(found, key=lambda mention: mention.start)


def _lists_requirements(path: str) -> bool:
    if not path.endswith((".txt", ".in")):
        return False
    place = PurePosixPath(path)
    listed = place.parent.name == _REQUIREMENT_FOLDER
    return listed or bool(_REQUIREMENTS.fullmatch(place.name))


def without_remarks(path: str, text: str) -> str:
    """``text`` with blanks for its remarks. A mark inside quotes begins none."""
    marks = _marks(PurePosixPath(path).name)
    if not marks:
        return text
    return "".join(_blanked(line, marks) for line in text.splitlines(keepends=True))


def _marks(name: str) -> tuple[str, ...]:
    """What begins a remark; a JSON file may have such in practice."""
    if name in _METADATA:
        return ()
    if name.endswith((".json", _KERNELS)):
        return ("//",)
    return ("#", ";") if name.endswith(_SEMICOLON) else ("#",)


def _blanked(line: str, marks: Iterable[str]) -> str:
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


def _set_in_json(path: str, text: str) -> Iterator[Mention]:
    """Variables that stand alone or are given a value, and commands; prose is not meant."""
    if len(text) > _LARGEST_JSON or not any(part in text for part in _PARTS):
        return
    for mention in _spoken(without_remarks(path, text)):
        before, after = text[: mention.start][-1:], text[mention.end :]
        if mention.kind is Kind.ENVIRONMENT:
            meant = after.startswith("=") or (before == '"' and after.startswith('"'))
        else:
            meant = mention.kind is Kind.CONTAINER or not _KEY_ENDS.match(after)
        if meant:
            yield mention


def _built_by_cmake(text: str) -> Iterator[Mention]:
    """CMake's own variables, such as CUDA_ARCHITECTURES, are none of the environment."""
    for match in _CMAKE.finditer(text):
        yield Mention(Kind.COMMAND, "nvcc", *match.span())
