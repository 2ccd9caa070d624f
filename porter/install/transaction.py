"""Exchange a distribution as a whole: whatever goes wrong, the environment is as it was.

Before anything is touched, what will be taken out or overwritten lies in an archive beside the
packages. It is there for as long as the exchange lasts: one that is found there later belongs to
a run that was killed, and is put back before anything else is done.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from porter.errors import PorterError
from porter.install.distribution import Distribution, bytecode
from porter.install.environment import Environment
from porter.install.snapshot import contents, is_below, read_note, restore, save

_PREFIX = ".porter-install-"
_SUFFIX = ".tar.gz"


@contextmanager
def exchange(
    environment: Environment, name: str, old: Distribution | None, coming: Iterable[Path]
) -> Iterator[Path]:
    """Take ``old`` out; what is done inside may write the files ``coming`` and bring a successor.

    On any exception that leaves the block, also a KeyboardInterrupt, what came is removed and
    what was there is put back. Yields the archive, which is gone afterwards. Raises PorterError,
    before anything is touched, where ``old`` has a file outside of the environment.
    """
    files = old.files() if old else []
    for file in files:
        if not is_below(file, environment.roots):
            raise PorterError(f"{file}: belongs to {old}, and lies outside of {environment.prefix}")
    places = list(coming)
    archive = _archive(environment, name)
    there = [path for path in set(places).difference(files) if path.is_file()]
    note = {"name": name, "coming": [str(path) for path in places]}
    save(archive, [*files, *there], note)
    try:
        remove(files, environment)
        yield archive
    except PorterError as error:
        _put_back(archive, environment)
        raise type(error)(f"{error}; {environment.prefix} is as it was") from error
    except BaseException:
        _put_back(archive, environment)
        raise
    archive.unlink()


def recover(environment: Environment) -> list[str]:
    """Put back what runs that were killed had taken out; returns the names of the packages.

    Not where another release is there as a whole: somebody has helped himself since.
    """
    names: list[str] = []
    installed = environment.distributions()
    for archive in sorted(environment.packages.glob(f"{_PREFIX}*{_SUFFIX}")):
        name = archive.name.removeprefix(_PREFIX).removesuffix(_SUFFIX)
        there = installed.get(name)
        if there and there.has_record and not there.is_ported and not any(there.damaged()):
            archive.unlink()
            continue
        _put_back(archive, environment)
        names.append(name)
    for unfinished in environment.packages.glob(f"{_PREFIX}*{_SUFFIX}.new"):
        unfinished.unlink()
    return names


def remove(files: Iterable[Path], environment: Environment) -> None:
    """Delete files, the bytecode of those that are modules, and the folders that this empties."""
    folders: set[Path] = set()
    for file in files:
        for path in (*bytecode(file), file):
            is_file = path.is_symlink() or path.is_file()
            if is_file and is_below(path, environment.roots):
                path.unlink()
                folders.add(path.parent)
    kept = {Path(place) for place in environment.paths.values()}
    for folder in sorted(folders, key=lambda folder: len(folder.parts), reverse=True):
        for place in (folder, *folder.parents):
            if place in kept or not is_below(place, environment.roots):
                break
            try:
                place.rmdir()
            except OSError:  # not empty, or gone already with those above it
                break


def _put_back(archive: Path, environment: Environment) -> None:
    """The archive stays until all of it is back."""
    note = read_note(archive)
    contents(archive, environment.roots)
    try:
        came = environment.distributions().get(note["name"])
        listed = came.files() if came and came.has_record else []
        remove([*map(Path, note["coming"]), *listed], environment)
        restore(archive, environment.roots)
    except OSError as error:
        raise PorterError(
            f"{error.filename}: {error.strerror}; what was there is kept in {archive}: run "
            "`porter install` again once the cause is gone"
        ) from error
    archive.unlink()


def _archive(environment: Environment, name: str) -> Path:
    return environment.packages / f"{_PREFIX}{name}{_SUFFIX}"
