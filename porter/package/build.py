"""Port a release: rewrite it, lay the overlay over it, leave out what cannot be used."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from packaging.utils import canonicalize_name

from porter.codemods.engine import analyse, analyse_text
from porter.codemods.options import Options
from porter.errors import PorterError
from porter.findings import FileResult, Result
from porter.package.metadata import Dropped, port_metadata, ported_version
from porter.package.native import unfit
from porter.package.plugins import PortedPlugin, port_plugins
from porter.package.ported import Ported
from porter.package.recipe import Drop, Recipe
from porter.package.release import Release
from porter.progress import Progress
from porter.rewrite.changes import changes
from porter.rulebook import Rulebook
from porter.sources.elf import is_elf
from porter.sources.names import module_name
from porter.sources.text import SourceText
from porter.sources.tree import is_python


def port(
    release: Release,
    recipe: Recipe,
    book: Rulebook,
    *,
    build: int = 1,
    plugins: Sequence[Path] = (),
    progress: Progress | None = None,
) -> Ported:
    """Port ``release`` by ``recipe`` as local version ``hpu.<build>``; upstream's tree stays as is.

    ``plugins`` are a user's own scripts, which go into the package. Raises PorterError where
    the recipe is another project's or does not support the release or plugins, where one of
    them is no plugin, and where a compiled file would be left in a wheel for any machine.
    """
    recipe = _narrowed(recipe, release)
    options = replace(recipe.options(), hunks=True)
    overlay = _overlay(recipe)
    dropped = tuple(_dropped(release, recipe.drop))
    gone = overlay.keys() | {item.what for item in dropped}
    kept = [path for path in release.package if path not in gone]
    native = _native_modules(recipe, dropped)

    _refuse_ported(release)
    along = _plugins(plugins, recipe, book, options, native)
    _refuse_taken(along, {*kept, *overlay})
    tree = replace(release.tree, label=f"{release.name}=={release.version}")
    result = _only(kept, analyse(tree, book, options, progress=progress)).rewritten()
    changed = {change.path: change.after for change in changes(release.tree, result)}
    untouched = _only(set(kept) - changed.keys(), result)
    scripts = {plugin.path: plugin.data for plugin in along}
    own = _analyse_own({**changed, **overlay, **scripts}, book, options, native)

    version = ported_version(release.version, build)
    metadata, requirements = port_metadata(
        release.tree.read(release.metadata), version, recipe.drop
    )
    upstream = {path: release.tree.read(path) for path in kept if path not in changed}
    return Ported(
        release=release,
        recipe=recipe,
        version=version,
        api=book.api.version,
        result=_joined(result, (plugin.result for plugin in along)),
        remaining=_joined(untouched, own),
        native_modules=native,
        files={**upstream, **changed, **overlay, **scripts},
        overlay=tuple(overlay),
        plugins=tuple(scripts),
        metadata=metadata,
        dropped_files=dropped,
        dropped_requirements=requirements,
    )


def _refuse_ported(release: Release) -> None:
    if (release.version.local or "").startswith("hpu"):
        raise PorterError(
            f"{release.name} {release.version}: is ported already; name upstream's release"
        )


def _plugins(
    files: Sequence[Path],
    recipe: Recipe,
    book: Rulebook,
    options: Options,
    native: tuple[str, ...],
) -> tuple[PortedPlugin, ...]:
    if not files:
        return ()
    if recipe.plugins is None:
        raise PorterError(f"{recipe.path}: has no [plugins] for this release; leave {files[0]} out")
    return port_plugins(
        files, recipe.plugins, lambda path, text: analyse_text(path, text, book, options, native)
    )


def _refuse_taken(plugins: Iterable[PortedPlugin], paths: Collection[str]) -> None:
    for plugin in plugins:
        if plugin.path in paths:
            raise PorterError(f"{plugin.path}: is in the package already; rename your plugin")


def _narrowed(recipe: Recipe, release: Release) -> Recipe:
    if canonicalize_name(recipe.name) != canonicalize_name(release.name):
        raise PorterError(
            f"{recipe.path}: a recipe for {recipe.name}, but {release.tree.label} is {release.name}"
        )
    return recipe.at(release.version)


def _overlay(recipe: Recipe) -> dict[str, bytes]:
    return {
        path: file.read_bytes()
        for overlay in recipe.overlays
        for path, file in overlay.files().items()
    }


def _dropped(release: Release, drop: Drop) -> Iterator[Dropped]:
    """What the recipe names, and every compiled file that cannot be used on Gaudi."""
    for path in release.package:
        reason = drop.reason_for_file(path)
        file = release.tree.root / path
        if is_elf(file):
            reason = unfit(file) or reason
            if reason is None:
                raise PorterError(
                    f"{path}: compiled for one kind of machine, and the ported wheel is for any; "
                    "name it in [drop] files of the recipe"
                )
        if reason is not None:
            yield Dropped(path, reason)


def _native_modules(recipe: Recipe, dropped: tuple[Dropped, ...]) -> tuple[str, ...]:
    """Upstream's compiled modules: those that are routed, and those that nothing replaces."""
    modules = {module_name(item.what) for item in dropped if item.what.endswith(".so")}
    routed = {route.source for route in recipe.routes if not route.is_of_a_name}
    return tuple(sorted(modules | routed))


def _analyse_own(
    files: Mapping[str, bytes], book: Rulebook, options: Options, native: tuple[str, ...]
) -> Iterator[FileResult]:
    """The findings in files that porter wrote."""
    for path, data in files.items():
        if is_python(path):
            try:
                text = SourceText.decode(data).text
            except (SyntaxError, UnicodeDecodeError) as error:
                raise PorterError(
                    f"{path}: cannot be decoded: {error}; save it as UTF-8"
                ) from error
            result = analyse_text(path, text, book, options, native)
            if result.constructs:
                yield result


def _only(paths: Collection[str], result: Result) -> Result:
    wanted = frozenset(paths)
    return replace(result, files=tuple(file for file in result.files if file.path in wanted))


def _joined(result: Result, others: Iterable[FileResult]) -> Result:
    files = sorted((*result.files, *others), key=lambda file: file.path)
    return replace(result, files=tuple(files))
