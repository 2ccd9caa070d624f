"""Port a released package: fetch, rewrite, overlay, build the wheel, validate."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from porter.cli._formats import Texts
from porter.cli._ladder import page_rungs
from porter.cli._level import ladder_level
from porter.cli._options import output_format
from porter.cli._output import print_json, print_text
from porter.cli._own_rules import own_rules
from porter.cli._port_summary import Delivery, summary_json, summary_text
from porter.cli._progress import progress_bar
from porter.errors import PorterError
from porter.package.build import port
from porter.package.contents import executables, info_folder, wheel_files, wheel_name
from porter.package.patch import changes_patch
from porter.package.ported import Ported
from porter.package.recipe import Recipe, find_recipe
from porter.package.release import Release
from porter.package.wheel import write_wheel
from porter.progress import Progress
from porter.report.html import review_page
from porter.report.json import dumps, to_json
from porter.rewrite.atomic import Contents, replace_files, require_writable
from porter.rulebook import Rulebook
from porter.sources.resolve import open_source
from porter.validate.ladder import Ladder, climb

_CURE = "make it writable, or give -o another folder"


@click.command(epilog="\b\nExample:\n  porter port lmcache==0.3.9.post2 -o ported/")
@click.argument("requirement", metavar="REQ", type=click.Path())
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Where the wheel, changes.patch, findings.json, ladder.json and review.html go.",
)
@click.option(
    "--recipe",
    "recipe_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A recipe of your own; by default the one that porter has for the package.",
)
@click.option(
    "--plugin",
    "plugins",
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A plugin of yours, a script for CUDA, to port along. Repeatable.",
)
@click.option(
    "--build",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="The N of the local version +hpu.N.",
)
@ladder_level
@output_format
@own_rules
@click.pass_context
def command(
    ctx: click.Context,
    *,
    requirement: str,
    output: Path,
    recipe_file: Path | None,
    plugins: tuple[Path, ...],
    build: int,
    level: str,
    style: str,
    book: Rulebook,
) -> None:
    """Port the release REQ into DIR: fetch, rewrite, overlay, wheel, validate.

    REQ is a requirement such as lmcache==0.3.9.post2, a wheel, or an sdist. Files
    of the same names in DIR are replaced; nothing else there is touched.
    Exit code 1 if a rung of the ladder failed.
    """
    _require_usable(output)
    clock = _Clock()
    with clock.step("fetch"), progress_bar(f"Fetching {requirement}") as bar:
        tree = open_source(requirement, progress=bar)
        release = Release.of(tree)
    with clock.step("port"), progress_bar(f"Reading {release.name}") as bar:
        recipe = Recipe.load(recipe_file) if recipe_file else find_recipe(release.name)
        ported = port(release, recipe, book, build=build, plugins=plugins, progress=bar)
    with TemporaryDirectory(prefix="porter-") as scratch:
        with clock.step("build"):
            wheel = _build(ported, Path(scratch))
        with clock.step("validate"), progress_bar(f"Checking {wheel.name}") as bar:
            ladder = _climb(wheel, level, bar)
        with clock.step("write"):
            written = _write(output, _documents(ported, wheel, ladder, book))
    delivery = Delivery(ported, ladder, written, clock.seconds)
    if style == "json":
        print_json(summary_json(delivery))
    else:
        print_text(summary_text(delivery))
    ctx.exit(1 if ladder.failed else 0)


class _Clock:
    """Seconds by step, in the order of the steps."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - start


def _require_usable(folder: Path) -> None:
    """Raise PorterError, before any work is done, where ``folder`` cannot be filled."""
    if folder.exists() and not folder.is_dir():
        raise PorterError(f"{folder}: is a file; give -o a folder")
    existing = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not existing.is_dir():
        raise PorterError(f"{folder}: lies below the file {existing}; give -o a folder")
    require_writable([existing / "ladder.json"], cure=_CURE)


def _build(ported: Ported, folder: Path) -> Path:
    wheel = folder / wheel_name(ported)
    write_wheel(wheel, wheel_files(ported), info_folder(ported), executables(ported))
    return wheel


def _climb(wheel: Path, level: str, progress: Progress | None) -> Ladder:
    tree = open_source(str(wheel), cache=wheel.parent / "unpacked")
    return climb(replace(tree, label=wheel.name), level, progress)


def _documents(ported: Ported, wheel: Path, ladder: Ladder, book: Rulebook) -> dict[str, bytes]:
    return {
        wheel.name: wheel.read_bytes(),
        "changes.patch": changes_patch(ported),
        "findings.json": dumps(to_json(ported.result)).encode(),
        "ladder.json": dumps(ladder.document()).encode(),
        "review.html": _review(ported, ladder, book).encode(),
    }


def _review(ported: Ported, ladder: Ladder, book: Rulebook) -> str:
    """Plugins of the user's are no part of the release, and are shown without what is around."""
    texts, options = Texts([ported.release.tree]), ported.recipe.options().document()
    return review_page(ported.result, book, texts, options, ladder=page_rungs(ladder))


def _write(folder: Path, documents: Mapping[str, bytes]) -> tuple[Path, ...]:
    """All documents or none, each in one step."""
    folder.mkdir(parents=True, exist_ok=True)
    contents: dict[Path, Contents] = {}
    for name, data in documents.items():
        path = folder / name
        contents[path] = Contents(path.read_bytes() if path.exists() else None, data)
    require_writable(contents, cure=_CURE)
    replace_files(contents, repair="port again once the cause is gone")
    return tuple(contents)
