"""Carry out a plan, or take a ported distribution out again."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from packaging.version import Version

from porter.install.check import CheckFailed, Import, check_files, check_imports
from porter.install.distribution import Distribution
from porter.install.environment import Complaint, Environment, complaints
from porter.install.pip import pip
from porter.install.plan import NEVER_FETCHED, Plan
from porter.install.replaced import Replaced, archive_of
from porter.install.snapshot import contents, restore
from porter.install.transaction import exchange, remove
from porter.install.wheel import Layout
from porter.package.metadata import upstream_version


@dataclass(frozen=True)
class Installed:
    """``files`` are as in the wheel; ``fetched`` came from the index.

    ``kept`` is the version that ``uninstall`` brings back; None where there was none, or it
    is not known.
    """

    files: int
    imports: tuple[Import, ...]
    fetched: tuple[Distribution, ...]
    kept: str | None


@dataclass(frozen=True)
class Uninstalled:
    """``restored`` is the version that is there again, if any; it was kept, or is the index's."""

    restored: str | None
    from_index: bool
    complaints: tuple[Complaint, ...]


def install(plan: Plan, *, force: bool = False) -> Installed:
    """Raises PorterError where it fails, at its checks too: the environment is as it was.

    ``force`` lets pass what the plan says is not met.
    """
    environment, wheel, old = plan.environment, plan.wheel, plan.replaced
    allowed = _complaints(environment).keys() | ({item.key for item in plan.unmet} if force else ())
    coming = wheel.layout.destinations(environment.paths)
    with _scratch() as scratch, _fetched(plan, scratch) as fetched:
        before = _Before.of(old, scratch)
        with exchange(environment, wheel.name, old, coming) as archive:
            pip(environment, "install", "--no-deps", "--no-index", wheel.path)
            new, files = check_files(wheel, environment.distributions().get(wheel.name))
            imports = check_imports(wheel, environment)
            for complaint in _new(environment, allowed):
                raise CheckFailed(f"not installed, for it would break this: {complaint}")
            kept = before.keep_in(new, archive)
    return Installed(files, tuple(imports), fetched, kept)


def uninstall(environment: Environment, ported: Distribution) -> Uninstalled:
    """Take ``ported`` out, and put back what it replaced, or else its upstream release.

    Raises PorterError where that fails, or cannot be fetched: the environment is as it was.
    """
    earlier = Replaced.of(ported)
    before = _complaints(environment).keys()
    with _scratch() as scratch:
        if earlier is None:
            restored = _by_index(environment, ported, scratch)
        elif earlier.version is None:
            restored = None
            with exchange(environment, ported.name, ported, ()):
                pass
        else:
            restored = earlier.version
            earlier.require_whole(ported)
            kept = shutil.copyfile(archive_of(ported), scratch / "kept.tar.gz")
            with exchange(environment, ported.name, ported, contents(kept, environment.roots)):
                restore(kept, environment.roots)
                _require(environment, ported.name, restored)
    return Uninstalled(restored, earlier is None, tuple(_new(environment, before)))


def _by_index(environment: Environment, ported: Distribution, scratch: Path) -> str:
    """The version of the release that was fetched, from where pip gets its packages."""
    version = str(upstream_version(Version(ported.version)))
    # Three signs: two would take the port itself, where pip is shown a folder or an index with it.
    wanted = ("--no-deps", "--only-binary", ":all:", f"{ported.name}==={version}")
    pip(environment, "download", "--dest", scratch, *wanted)
    wheel = next(scratch.glob("*.whl"))
    with ZipFile(wheel) as archive:
        layout = Layout.of(archive)
    with exchange(environment, ported.name, ported, layout.destinations(environment.paths)):
        pip(environment, "install", "--no-deps", "--no-index", wheel)
        _require(environment, ported.name, version)
    return version


def _require(environment: Environment, name: str, version: str) -> None:
    found = environment.distributions().get(name)
    if found is None or found.version != version:
        raise CheckFailed(f"{found or 'no ' + name} is what Python finds, not {name} {version}")


@dataclass(frozen=True)
class _Before:
    """What there was before: upstream's, or nothing, or another port with what it had kept."""

    version: str | None
    is_ported: bool
    earlier: Replaced | None
    archive: Path

    @classmethod
    def of(cls, old: Distribution | None, scratch: Path) -> _Before:
        copy = scratch / "kept.tar.gz"
        if old is None or not old.is_ported:
            return cls(old.version if old else None, False, None, copy)
        earlier = Replaced.of(old)
        if earlier is not None and earlier.version is not None:
            earlier.require_whole(old)
            shutil.copyfile(archive_of(old), copy)
        return cls(old.version, True, earlier, copy)

    def keep_in(self, new: Distribution, archive: Path) -> str | None:
        """The version that was kept; ``archive`` has the files of what there was."""
        if not self.is_ported:
            Replaced.keep(new, self.version, archive if self.version else None)
            return self.version
        if self.earlier is None:
            return None
        Replaced.keep(new, self.earlier.version, self.archive if self.earlier.version else None)
        return self.earlier.version


@contextmanager
def _fetched(plan: Plan, scratch: Path) -> Iterator[tuple[Distribution, ...]]:
    """Install what the plan fetches, beside what is there; taken out again if the block fails."""
    if not plan.fetched:
        yield ()
        return
    environment = plan.environment
    there = environment.distributions()
    pins = [f"{item.name}=={item.version}" for item in there.values()]
    absent = [f"{name}<0" for name in NEVER_FETCHED - there.keys()]
    constraints = scratch / "constraints.txt"
    constraints.write_text("\n".join([*pins, *absent]))
    try:
        pip(environment, "install", "--constraint", constraints, *map(str, plan.fetched))
        yield tuple(_added(environment, there))
    except BaseException:
        for item in _added(environment, there):
            if item.name != plan.wheel.name:
                remove(item.files(), environment)
        raise


def _added(environment: Environment, there: Mapping[str, Distribution]) -> Iterator[Distribution]:
    return (item for name, item in environment.distributions().items() if name not in there)


def _complaints(environment: Environment) -> dict[tuple[str, str], Complaint]:
    return complaints(environment, environment.distributions().values())


def _new(environment: Environment, known: Collection[tuple[str, str]]) -> Iterator[Complaint]:
    return (item for key, item in _complaints(environment).items() if key not in known)


@contextmanager
def _scratch() -> Iterator[Path]:
    with TemporaryDirectory(prefix="porter-") as folder:
        yield Path(folder)
