"""Run the scanner and all codemods over a source tree."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import PurePosixPath

from porter.codemods.config import analyse_config
from porter.codemods.module import UNPARSABLE, analyse_module
from porter.codemods.options import Options
from porter.findings import FileResult, Finding, Result, Status
from porter.parallel import each
from porter.progress import Progress
from porter.rulebook import Rulebook
from porter.scan import Module
from porter.scan.config import is_config
from porter.scan.prefilter import Prefilter
from porter.sources.elf import links_torch_or_cuda
from porter.sources.names import module_name
from porter.sources.text import SourceText
from porter.sources.tree import SourceTree, is_python

_OTHER_BACKENDS = frozenset({"cuda", "rocm", "xpu", "npu", "musa", "mps", "tpu"})
_EXTENSION = re.compile(r"(?:CUDA|Cpp)Extension\(\s*(?:name\s*=\s*)?[\"'](?P<name>[\w.]+)[\"']")
_DEFAULTS = Options()


def analyse(
    tree: SourceTree,
    book: Rulebook,
    options: Options = _DEFAULTS,
    *,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> Result:
    """Findings and edits of every Python file of ``tree``, and what other files say of CUDA.

    Nothing is written.

    ``jobs`` is the number of processes (None: one a core for a large tree);
    ``progress`` is called with the number of files done and their total.
    """
    paths = list(readable_files(tree))
    native = frozenset(native_modules(tree))
    backends = tuple(f"{folder}/*" for folder in backend_folders(tree))
    options = replace(options, cuda_only=(*options.cuda_only, *backends))
    analyst = _Analyst(tree, book, options, native)
    results: list[FileResult] = []
    for done, result in enumerate(each(analyst, paths, jobs), start=1):
        if result.findings or result.constructs:
            results.append(result)
        if progress is not None:
            progress(done, len(paths))
    return Result((tree.label,), tuple(results))


def analyse_text(
    path: str,
    text: str,
    book: Rulebook,
    options: Options = _DEFAULTS,
    native: Collection[str] = (),
) -> FileResult:
    """Findings and edits of one decoded file; ``native`` are compiled extension modules."""
    if is_config(path):
        return analyse_config(path, text, book)
    try:
        module = Module(path, text)
    except SyntaxError as error:
        return _failed(book, path, f"{error.msg} (line {error.lineno})")
    except (ValueError, RecursionError, MemoryError) as error:
        return _failed(book, path, str(error) or type(error).__name__)
    return analyse_module(module, book, options, native)


def readable_files(tree: SourceTree) -> Iterator[str]:
    """Python files, and those that may speak of CUDA in their own way."""
    for path in tree.files():
        if path == tree.only or is_python(path) or is_config(path):
            yield path


def native_modules(tree: SourceTree) -> Iterator[str]:
    """Dotted names of the extension modules that link torch or CUDA, built or to be built."""
    for path in tree.files():
        if path.endswith((".so", ".pyd")):
            if links_torch_or_cuda(tree.root / path):
                yield module_name(path)
        elif path.endswith("setup.py"):
            text = tree.read(path).decode(errors="replace")
            yield from (match["name"] for match in _EXTENSION.finditer(text))


def backend_folders(tree: SourceTree) -> Iterator[str]:
    """Folders of other devices' backends, in a package that has one for hpu beside them."""
    folders = {
        str(parent) for path in tree.python_files() for parent in PurePosixPath(path).parents
    }
    for folder in sorted(folders):
        path = PurePosixPath(folder)
        if path.name in _OTHER_BACKENDS and str(path.with_name("hpu")) in folders:
            yield folder


class _Analyst:
    """Analyses files of one tree; a worker process gets its own copy, once."""

    def __init__(
        self, tree: SourceTree, book: Rulebook, options: Options, native: frozenset[str]
    ) -> None:
        self._tree = tree
        self._book = book
        self._options = options
        self._native = native
        watched = native | {*options.routes, *options.routes.values()}
        self._prefilter = Prefilter.of(book, watched)

    def __call__(self, path: str) -> FileResult:
        try:
            data = self._tree.read(path)
        except OSError as error:
            return _failed(self._book, path, error.strerror or str(error))
        if is_config(path):
            return analyse_text(path, data.decode(errors="replace"), self._book)
        if not self._prefilter.passes(path, data):
            return FileResult(path, (), 0)
        try:
            text = SourceText.decode(data).text
        except (SyntaxError, UnicodeDecodeError) as error:
            return _failed(self._book, path, str(error))
        result = analyse_text(path, text, self._book, self._options, self._native)
        return replace(result, digest=sha256(data).hexdigest())


def _failed(book: Rulebook, path: str, reason: str) -> FileResult:
    """A file that speaks of CUDA and cannot be analysed is one construct, reported."""
    rule = book[UNPARSABLE]
    finding = Finding(
        rule=rule.id,
        verdict=rule.verdict,
        effort=rule.effort,
        status=Status.REPORTED,
        path=path,
        line=1,
        column=1,
        end_line=1,
        end_column=1,
        before="",
        after=None,
        message=f"{reason}: {rule.note}",
        url=rule.url,
    )
    return FileResult(path, (finding,), 1)
