"""What of a source tree goes into a wheel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from packaging.metadata import RawMetadata, parse_email
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from porter.errors import PorterError
from porter.package.entry_points import from_project, merge
from porter.sources.tree import Kind, SourceTree
from porter.table import Table
from porter.toml import read_toml

#: Written anew for every wheel, or a signature that no longer holds.
_OWN = ("METADATA", "WHEEL", "RECORD", "RECORD.jws", "RECORD.p7s", "entry_points.txt")
_NOTICES = ("LICEN[CS]E*", "COPYING*", "NOTICE*", "AUTHORS*")


@dataclass(frozen=True)
class Release:
    """A wheel, or an sdist taken for the wheel that it would make without compiling.

    All paths are those of ``tree``. ``package`` are the files that lie in the
    wheel as they lie in the tree; ``info`` are the files of its ``.dist-info``, by
    their names in there, that a ported wheel takes over. ``entry_points`` is the
    text of ``entry_points.txt``, empty where there are none.
    """

    tree: SourceTree
    name: str
    version: Version
    metadata: str
    package: tuple[str, ...]
    info: Mapping[str, str]
    entry_points: str

    @classmethod
    def of(cls, tree: SourceTree) -> Release:
        """Raises PorterError for a tree that is neither an unpacked wheel nor an unpacked sdist."""
        if tree.kind is Kind.WHEEL:
            return _wheel(tree)
        if tree.kind is Kind.SDIST:
            return _sdist(tree)
        raise PorterError(f"{tree.label}: give a requirement, a wheel or an sdist")


def _wheel(tree: SourceTree) -> Release:
    folders = [path.name for path in tree.root.glob("*.dist-info")]
    if len(folders) != 1:
        raise PorterError(f"{tree.label}: a wheel has one .dist-info folder, not {len(folders)}")
    prefix = f"{folders[0]}/"
    metadata = _metadata(tree, f"{prefix}METADATA")
    files = _files(tree.root)
    info = {path.removeprefix(prefix): path for path in files if path.startswith(prefix)}
    return Release(
        tree=tree,
        name=metadata["name"],
        version=_version(tree, metadata),
        metadata=f"{prefix}METADATA",
        package=tuple(path for path in files if not path.startswith(prefix)),
        info={name: path for name, path in info.items() if name not in _OWN},
        entry_points=_text(tree, f"{prefix}entry_points.txt"),
    )


def _sdist(tree: SourceTree) -> Release:
    metadata = _metadata(tree, "PKG-INFO")
    names = _egg_info(tree, "top_level.txt").split()
    names = names or [canonicalize_name(metadata["name"]).replace("-", "_")]
    files = _files(tree.root)
    package = tuple(path for path in files if _belongs(path, names))
    if not package:
        raise PorterError(f"{tree.label}: no {' or '.join(names)} at its root; port its wheel")
    return Release(
        tree=tree,
        name=metadata["name"],
        version=_version(tree, metadata),
        metadata="PKG-INFO",
        package=package,
        info={f"licenses/{path}": path for path in files if _is_notice(path, metadata)},
        entry_points=_egg_info(tree, "entry_points.txt") or _declared(tree),
    )


def _files(root: Path) -> list[str]:
    """Every file, also in the hidden folders that a scan passes over; stale bytecode is none."""
    paths = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in paths if "__pycache__" not in path.parts)


def _belongs(path: str, names: list[str]) -> bool:
    top = path.partition("/")[0]
    return top in names or top.removesuffix(".py") in names


def _is_notice(path: str, metadata: RawMetadata) -> bool:
    """A licence that the metadata names, or whatever else at the root looks like one."""
    looks_like_one = "/" not in path and any(fnmatchcase(path, pattern) for pattern in _NOTICES)
    return looks_like_one or path in metadata.get("license_files", [])


def _egg_info(tree: SourceTree, name: str) -> str:
    """The text of what setuptools left in an sdist, empty where it left nothing."""
    folder = next((path.name for path in sorted(tree.root.glob("*.egg-info"))), None)
    return "" if folder is None else _text(tree, f"{folder}/{name}")


def _declared(tree: SourceTree) -> str:
    path = tree.root / "pyproject.toml"
    if not path.is_file():
        return ""
    document = Table(read_toml(path), f"{tree.label}: pyproject.toml")
    return merge("", from_project(document.table("project")))


def _metadata(tree: SourceTree, path: str) -> RawMetadata:
    if not (tree.root / path).is_file():
        raise PorterError(f"{tree.label}: no {path} in it; it is damaged or no Python package")
    metadata, _ = parse_email(tree.read(path))
    if not {"name", "version"} <= metadata.keys():
        raise PorterError(f"{tree.label}: {path} lacks a name or a version")
    return metadata


def _version(tree: SourceTree, metadata: RawMetadata) -> Version:
    try:
        return Version(metadata["version"])
    except InvalidVersion as error:
        raise PorterError(f"{tree.label}: {error}") from error


def _text(tree: SourceTree, path: str) -> str:
    return tree.read(path).decode() if (tree.root / path).is_file() else ""
