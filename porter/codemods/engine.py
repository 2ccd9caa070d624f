"""Run the scanner and all codemods over a source tree."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256

from porter.codemods.cache import FindingsCache, context_of, key_of
from porter.codemods.config import analyse_config, is_setup_script, with_requirements
from porter.codemods.hunks import each_alone
from porter.codemods.ignores import IgnoreComments, may_ignore
from porter.codemods.module import UNPARSABLE, analyse_module
from porter.codemods.options import Options
from porter.codemods.reporting import reported
from porter.findings import FileResult, Result
from porter.parallel import each
from porter.progress import Progress
from porter.rulebook import Rulebook
from porter.scan import Module
from porter.scan.config import is_config
from porter.scan.lines import Lines
from porter.scan.prefilter import Prefilter
from porter.sources.elf import links_torch_or_cuda
from porter.sources.names import module_name
from porter.sources.text import SourceText
from porter.sources.tree import SourceTree, is_python

_OTHER_BACKENDS = frozenset({"cuda", "rocm", "xpu", "npu", "musa", "mps", "tpu"})
_EXTENSION = re.compile(r"(?:CUDA|Cpp)Extension\(\s*(?:name\s*=\s*)?[\"'](?P<name>[\w.]+)[\"']")
_PYTHON = f"Python {sys.version_info.major}.{sys.version_info.minor}"
_DEFAULTS = Options()


def analyse(
    tree: SourceTree,
    book: Rulebook,
    options: Options = _DEFAULTS,
    *,
    jobs: int | None = None,
    progress: Progress | None = None,
    cache: FindingsCache | None = None,
) -> Result:
    """Findings and edits of every Python file of ``tree``, and what other files say of CUDA.

    Nothing is written but to ``cache``, which knows the files that were analysed before.

    ``jobs`` is the number of processes (None: one a core for a large tree);
    ``progress`` is called with the number of files done and their total.
    """
    listed = tree.listed()
    paths = list(readable_files(listed))
    native = frozenset(native_modules(listed))
    backends = tuple(f"{folder}/*" for folder in backend_folders(listed))
    options = replace(options, cuda_only=(*options.cuda_only, *backends))
    analyst = _Analyst(tree, book, options, native)
    results: list[FileResult] = []
    if cache is None:
        analysed = each(analyst, paths, jobs)
    else:
        context = context_of(book, options, native)
        analysed = _remembered(cache, context, analyst, paths, jobs)
    for done, result in enumerate(analysed, start=1):
        if result.findings or result.constructs or result.ignored:
            results.append(result)
        if progress is not None:
            progress(done, len(paths))
    folder = os.path.normpath(tree.root) if tree.writable else ""
    return Result((tree.label,), tuple(results), (folder,))


def analyse_text(
    path: str,
    text: str,
    book: Rulebook,
    options: Options = _DEFAULTS,
    native: Collection[str] = (),
) -> FileResult:
    """Findings and edits of one decoded file; ``native`` are compiled extension modules."""
    ignores = IgnoreComments(path, text)
    result = _analyse_text(path, text, book, options, native, ignores)
    result = ignores.applied(result, book, shown=options.report_ignored)
    if options.hunks:
        result = replace(result, findings=each_alone(path, text, result.findings))
    return result


def decoded(path: str, data: bytes) -> str:
    """The text that findings speak of.

    Raises SyntaxError and UnicodeDecodeError for Python that the interpreter would refuse.
    """
    return data.decode(errors="replace") if is_config(path) else SourceText.decode(data).text


def _analyse_text(
    path: str,
    text: str,
    book: Rulebook,
    options: Options,
    native: Collection[str],
    ignores: IgnoreComments,
) -> FileResult:
    if is_config(path):
        return analyse_config(path, text, book)
    try:
        module = Module(path, text)
    except SyntaxError as error:
        return _failed(book, path, f"{error.msg} (line {error.lineno}, as {_PYTHON} reads it)")
    except (ValueError, RecursionError, MemoryError) as error:
        return _failed(book, path, str(error) or type(error).__name__)
    result = analyse_module(module, book, options, native, ignores)
    return with_requirements(result, module, book) if is_setup_script(path) else result


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
    folders: set[str] = set()
    for path in tree.python_files():
        while (path := path.rpartition("/")[0]) and path not in folders:
            folders.add(path)
    for folder in sorted(folders):
        parent, _, name = folder.rpartition("/")
        if name in _OTHER_BACKENDS and f"{parent}/hpu".lstrip("/") in folders:
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

    def digests(self, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
        """The paths of files that can be read, with the SHA-256 of their bytes."""
        for path in paths:
            with suppress(OSError):
                yield path, sha256(self._tree.read(path)).hexdigest()

    def __call__(self, path: str) -> FileResult:
        try:
            data = self._tree.read(path)
        except OSError as error:
            return _failed(self._book, path, error.strerror or str(error))
        return replace(self._analysed(path, data), digest=sha256(data).hexdigest())

    def _analysed(self, path: str, data: bytes) -> FileResult:
        if not (_is_always_read(path) or self._prefilter.passes(path, data) or may_ignore(data)):
            return FileResult(path, (), 0)
        try:
            text = decoded(path, data)
        except (SyntaxError, UnicodeDecodeError) as error:
            return _failed(self._book, path, str(error))
        return analyse_text(path, text, self._book, self._options, self._native)


def _is_always_read(path: str) -> bool:
    """Whether more in it may be of interest than the words that are looked for in Python."""
    return is_config(path) or is_setup_script(path)


def _remembered(
    cache: FindingsCache, context: bytes, analyst: _Analyst, paths: Sequence[str], jobs: int | None
) -> Iterator[FileResult]:
    """The results of ``analyst`` in the order of ``paths``: out of ``cache`` where it has them."""
    keys = {path: key_of(context, path, digest) for path, digest in analyst.digests(paths)}
    known = cache.load([*keys.values()])
    fresh = each(analyst, [path for path in paths if keys.get(path) not in known], jobs)
    new: dict[bytes, FileResult] = {}
    for path in paths:
        key = keys.get(path)
        if key in known:
            yield known[key]
            continue
        result = next(fresh)
        # Whether Python could read a file may depend on more than the file.
        if result.digest and not any(item.rule == UNPARSABLE for item in result.findings):
            new[key_of(context, path, result.digest)] = result
        yield result
    cache.store(new)


def _failed(book: Rulebook, path: str, reason: str) -> FileResult:
    """A file that speaks of CUDA and cannot be analysed is one construct, reported."""
    finding = reported(book[UNPARSABLE], path, Lines(""), (0, 0), detail=reason)
    return FileResult(path, tuple(each_alone(path, "", [finding])), 1)
