"""The static rung: what can be proven by reading the package.

It opens nothing but the files of the tree, and runs none of them.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Sequence

from porter.errors import PorterError
from porter.parallel import each
from porter.progress import Progress
from porter.resources import rules_folder
from porter.sources.tree import Kind, SourceTree
from porter.validate.counter import Construct, constructs, may_have_cuda
from porter.validate.guards import ModuleNames, inverted
from porter.validate.natives import compiled_files, cuda_objects
from porter.validate.reading import Reading
from porter.validate.record import record_failures, tag_failures
from porter.validate.remaining import Remaining
from porter.validate.requirements import cuda_requirements
from porter.validate.routes import RoutedModules
from porter.validate.rung import Failure, Outcome, Status
from porter.validate.source_files import read_source
from porter.validate.targets import HpuNames, invented, may_have_hpu, numbered_cards
from porter.validate.walk import read_module
from porter.wording import plural

_METADATA_FOLDER = ".dist-info"


def check(tree: SourceTree, progress: Progress | None = None) -> Outcome:
    """Climb the rung with an unpacked wheel or any folder of source.

    Raises PorterError where the tree has no Python file, is a wheel without
    metadata, holds two distributions, or brings a malformed ``remaining.json``.
    """
    return _Check(tree, progress).outcome()


class _Check:
    def __init__(self, tree: SourceTree, progress: Progress | None) -> None:
        self._tree = tree
        self._progress = progress
        self._files = list(tree.files())
        self._dist_info = _dist_info(tree, self._files)
        self._remaining = Remaining.of(self._tree, self._files)
        self._compiled = compiled_files(tree, self._files)
        self._objects = list(cuda_objects(tree, self._compiled))
        self._native_modules = (
            *self._remaining.native_modules,
            *(item.module for item in self._objects),
        )
        self._constructs = 0
        self._notes: list[str] = []

    def outcome(self) -> Outcome:
        sources = list(self._tree.python_files())
        if not sources:
            raise PorterError(f"{self._tree.label}: no Python file in it; name a wheel or a folder")
        failures = [item.failure for item in self._objects]
        examine = _Examiner(self._tree, self._remaining, self._native_modules, self._files)
        for done, (number, found) in enumerate(each(examine, sources), start=1):
            self._constructs += number
            failures += found
            if self._progress is not None:
                self._progress(done, len(sources))
        failures += self._metadata()
        counted = (
            f"{plural(len(sources), 'Python file')}, {plural(self._constructs, 'CUDA construct')}"
        )
        if failures:
            summary = f"{counted}, {plural(len(failures), 'failure')}"
            return Outcome(Status.FAILED, summary, tuple(sorted(failures)), tuple(self._notes))
        summary = f"{counted}, none unaccounted for"
        return Outcome(Status.PASSED, summary, notes=tuple(self._notes))

    def _metadata(self) -> Iterator[Failure]:
        folder = self._dist_info
        if folder is None:
            self._notes.append("no .dist-info folder: requirements, RECORD and tags not checked")
            return
        metadata = f"{folder}/METADATA"
        if metadata in self._files:
            text = self._tree.read(metadata).decode(errors="replace")
            for item in cuda_requirements(text, metadata):
                if item.is_optional:
                    self._notes.append(f"{metadata}: {item.failure.what}, behind an extra")
                else:
                    yield item.failure
        else:
            yield Failure(metadata, 1, "the wheel has no METADATA", "build the wheel again")
        yield from record_failures(self._tree, folder, self._files)
        yield from tag_failures(self._tree, folder, self._files, self._compiled)


class _Examiner:
    """Examines single modules: how many constructs, and what is wrong."""

    def __init__(
        self,
        tree: SourceTree,
        remaining: Remaining,
        native_modules: tuple[str, ...],
        files: list[str],
    ) -> None:
        self._tree = tree
        self._remaining = remaining
        self._native_modules = native_modules
        self._modules = ModuleNames(files)
        self._routed = RoutedModules(tree, remaining.routed_modules)
        self._names = HpuNames.newest(rules_folder() / "api")

    def __call__(self, path: str) -> tuple[int, list[Failure]]:
        source = read_source(self._tree.read(path), path)
        if isinstance(source, Failure):
            return 0, [source]
        routed = self._remaining.routed_modules
        if not (may_have_cuda(source, (*self._native_modules, *routed)) or may_have_hpu(source)):
            return 0, []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            reading = read_module(ast.parse(source), source, path)
        found = constructs(reading, self._native_modules)
        return len(found), list(self._failures(path, reading, found))

    def _failures(
        self, path: str, reading: Reading, found: Sequence[Construct]
    ) -> Iterator[Failure]:
        for construct in self._remaining.unaccounted(path, found):
            what = f"{construct.text!r} ({construct.category.value}) is unaccounted for"
            yield Failure(path, construct.line, what, "port it, or report it")
        yield from invented(reading, path, self._names)
        yield from numbered_cards(reading, path)
        yield from inverted(reading, path, self._native_modules, self._modules)
        yield from self._routed.dead_ends(reading, path)


def _dist_info(tree: SourceTree, files: list[str]) -> str | None:
    tops = (path.partition("/")[0] for path in files if "/" in path)
    folders = sorted({top for top in tops if top.endswith(_METADATA_FOLDER)})
    if len(folders) > 1:
        raise PorterError(f"{tree.label}: holds {' and '.join(folders)}; validate one at a time")
    if not folders and tree.kind is Kind.WHEEL:
        raise PorterError(f"{tree.label}: no .dist-info folder in the wheel; build it again")
    return folders[0] if folders else None
