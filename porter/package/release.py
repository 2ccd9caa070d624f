"""What of a source tree goes into a wheel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.metadata import RawMetadata, parse_email
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from porter.errors import PorterError
from porter.package.entry_points import from_project, merge
from porter.sources.tree import Kind, SourceTree
from porter.toml import read_toml

# Written anew for every wheel, or a signature that no longer holds.
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
    egg_info = next((path.name for path in sorted(tree.root.glob("*.egg-info"))), "")
    names = _text(tree, f"{egg_info}/top_level.txt").split()
    names = names or [canonicalize_name(metadata["name"]).replace("-", "_")]
    package = tuple(path for path in _files(tree.root) if _belongs(path, names))
    if not package:
        raise PorterError(f"{tree.label}: no {' or '.join(names)} at its root; port its wheel")
    return Release(
        tree=tree,
        name=metadata["name"],
        version=_version(tree, metadata),
        metadata="PKG-INFO",
        package=package,
        info={f"licenses/{path}": path for path in _notices(tree, metadata)},
        entry_points=_text(tree, f"{egg_info}/entry_points.txt") or _declared(tree),
    )


def _files(root: Path) -> list[str]:
    """Every file, also in the hidden folders that a scan passes over; stale bytecode is none."""
    paths = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in paths if "__pycache__" not in path.parts)


def _belongs(path: str, names: list[str]) -> bool:
    top = path.partition("/")[0]
    return top in names or top.removesuffix(".py") in names


def _notices(tree: SourceTree, metadata: RawMetadata) -> Iterator[str]:
    """The licences that the metadata names, and whatever else at the root looks like one."""
    found = {path.name for pattern in _NOTICES for path in tree.root.glob(pattern)}
    named = metadata.get("license_files", [])
    return (path for path in sorted(found.union(named)) if (tree.root / path).is_file())


def _declared(tree: SourceTree) -> str:
    path = tree.root / "pyproject.toml"
    return merge("", from_project(read_toml(path).get("project", {}))) if path.is_file() else ""


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
