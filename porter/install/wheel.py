"""A ported wheel, looked through before anything is done with it."""

from __future__ import annotations

import csv
import io
import json
import zlib
from collections.abc import Mapping
from configparser import Error as BadEntryPoints
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile

from packaging.metadata import RawMetadata, parse_email
from packaging.requirements import Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from porter.errors import PorterError
from porter.install.distribution import PORTED, parse_requirements
from porter.package.entry_points import parse
from porter.package.wheel import record_digest

_DAMAGE = (BadZipFile, zlib.error, EOFError, KeyError, ValueError, BadEntryPoints)
_AGAIN = "build it again with `porter port`"


@dataclass(frozen=True)
class Layout:
    """The digests of a wheel's files by name, as its RECORD spells them, and its scripts."""

    files: Mapping[str, str]
    scripts: tuple[str, ...]

    @classmethod
    def of(cls, archive: ZipFile) -> Layout:
        """Raises KeyError where the archive has no .dist-info folder, or no RECORD in one."""
        info = _info_folder(archive)
        rows = csv.reader(io.StringIO(archive.read(f"{info}/RECORD").decode()))
        files = {row[0]: row[1] for row in rows if row}
        return cls(files, _scripts(archive, f"{info}/entry_points.txt"))

    def destinations(self, paths: Mapping[str, str]) -> list[Path]:
        """Where the files go, ``paths`` being the folders by their names in ``sysconfig``."""
        places = [Path(paths["scripts"], script) for script in self.scripts]
        for name in self.files:
            parts = PurePosixPath(name).parts
            if parts[0].endswith(".data") and len(parts) > 2 and parts[1] in paths:
                places.append(Path(paths[parts[1]], *parts[2:]))
            else:
                places.append(Path(paths["purelib"], name))
        return places


@dataclass(frozen=True)
class PortedWheel:
    """Each file of it is what its RECORD says.

    ``connectors`` are pairs of modules: one with a class that others call, and theirs.
    """

    path: Path
    name: str
    version: str
    requires_python: SpecifierSet
    requires: tuple[Requirement, ...]
    layout: Layout
    connectors: tuple[tuple[str, str], ...]

    @classmethod
    def read(cls, path: Path) -> PortedWheel:
        """Raises PorterError where there is none, or it is damaged, or not a ported one."""
        if not path.is_file():
            raise PorterError(f"{path}: no such file; give a wheel that `porter port` has built")
        try:
            with ZipFile(path) as archive:
                return cls._of(path, archive)
        except _DAMAGE as error:
            raise PorterError(f"{path}: damaged, or no wheel: {error}; {_AGAIN}") from error

    @classmethod
    def _of(cls, path: Path, archive: ZipFile) -> PortedWheel:
        info = _info_folder(archive)
        if not {f"{info}/{name}" for name in PORTED} <= set(archive.namelist()):
            raise PorterError(
                f"{path}: not a ported wheel, for it has no PORTED.md; pip installs any other"
            )
        layout = Layout.of(archive)
        _require_whole(path, archive, layout, f"{info}/RECORD")
        metadata, _ = parse_email(archive.read(f"{info}/METADATA"))
        return cls(
            path=path,
            name=canonicalize_name(metadata["name"]),
            version=metadata["version"],
            requires_python=_requires_python(path, metadata),
            requires=tuple(parse_requirements(metadata.get("requires_dist", []))),
            layout=layout,
            connectors=_connectors(archive, f"{info}/porter/contract.json"),
        )

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def modules(self) -> tuple[str, ...]:
        """The top-level names that it brings."""
        tops = {name.partition("/")[0] for name in self.layout.files if name.endswith(".py")}
        found = {top.removesuffix(".py") for top in tops}
        return tuple(sorted(name for name in found if name.isidentifier()))


def _info_folder(archive: ZipFile) -> str:
    folders = {name.partition("/")[0] for name in archive.namelist()}
    infos = [folder for folder in folders if folder.endswith(".dist-info")]
    if len(infos) != 1:
        raise KeyError("a wheel has one .dist-info folder")
    return infos[0]


def _requires_python(path: Path, metadata: RawMetadata) -> SpecifierSet:
    try:
        return SpecifierSet(metadata.get("requires_python", ""))
    except InvalidSpecifier as error:
        raise PorterError(f"{path}: {error}; {_AGAIN}") from error


def _require_whole(path: Path, archive: ZipFile, layout: Layout, record: str) -> None:
    names = {name for name in archive.namelist() if not name.endswith("/")}
    for name in sorted(names):
        if name.startswith("/") or ".." in PurePosixPath(name).parts:
            raise PorterError(f"{path}: {name} leads out of the wheel; {_AGAIN}")
        digest = record_digest(archive.read(name))
        if name != record and digest != layout.files.get(name):
            raise PorterError(f"{path}: damaged: {name} is not what RECORD says; {_AGAIN}")
    if missing := sorted(layout.files.keys() - names):
        raise PorterError(f"{path}: damaged: {missing[0]} of its RECORD is missing; {_AGAIN}")


def _scripts(archive: ZipFile, name: str) -> tuple[str, ...]:
    if name not in archive.namelist():
        return ()
    parser = parse(archive.read(name).decode())
    groups = filter(parser.has_section, ("console_scripts", "gui_scripts"))
    return tuple(sorted({script for group in groups for script in parser.options(group)}))


def _connectors(archive: ZipFile, name: str) -> tuple[tuple[str, str], ...]:
    if name not in archive.namelist():
        return ()
    rows = json.loads(archive.read(name))["contracts"]
    return tuple((row["class"].partition(":")[0], row["base"].partition(":")[0]) for row in rows)
