"""What was analysed before is not analysed again, unless anything that it depends on changed."""

from __future__ import annotations

import ast
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from porter.codemods import cache as cache_module
from porter.codemods.cache import FindingsCache, context_of, key_of
from porter.codemods.engine import analyse, analyse_text
from porter.codemods.options import Options
from porter.findings import FileResult, Finding, Ignored, IgnoredBy, Result
from porter.rulebook import Rulebook, default_rulebook
from porter.sources.tree import Kind, SourceTree

BOOK = default_rulebook()
FILES = {
    "pkg/__init__.py": "",
    "pkg/stream.py": "import torch\ns = torch.cuda.current_stream()\nx.cuda('é\\ud800', é='𝄞')\n",
    "pkg/kept.py": "x.cuda()  # porter: ignore[HPU201] a reason\n",
    "pkg/clean.py": "x = 1\n",
    "run.sh": "export CUDA_VISIBLE_DEVICES=0\n",
}


@pytest.fixture
def tree(tmp_path: Path) -> SourceTree:
    for path, text in FILES.items():
        (tmp_path / "src" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "src" / path).write_text(text)
    return SourceTree(tmp_path / "src", Kind.FOLDER, "src")


@pytest.fixture
def cache(tmp_path: Path) -> FindingsCache:
    return FindingsCache(tmp_path / "cache")


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that were parsed, one after another."""
    texts: list[str] = []
    real = ast.parse

    def parse(source: Any, *arguments: Any, **options: Any) -> Any:
        texts.append(source)
        return real(source, *arguments, **options)

    monkeypatch.setattr(ast, "parse", parse)
    return texts


def test_a_second_scan_parses_nothing_and_finds_the_same(
    tree: SourceTree, cache: FindingsCache, parsed: list[str]
) -> None:
    alone = analyse(tree, BOOK)
    assert analyse(tree, BOOK, cache=cache) == alone
    assert any("current_stream" in text for text in parsed)
    parsed.clear()
    steps: list[int] = []
    again = analyse(tree, BOOK, cache=cache, progress=lambda done, _: steps.append(done))
    assert again == alone
    assert parsed == []
    assert steps == list(range(1, len(FILES) + 1))


def test_of_a_changed_tree_only_the_change_is_parsed(
    tree: SourceTree, cache: FindingsCache, parsed: list[str]
) -> None:
    analyse(tree, BOOK, cache=cache)
    parsed.clear()
    for path in ("pkg/more.py", "pkg/clean.py"):
        (tree.root / path).write_text("import torch\ntorch.cuda.synchronize()\n")
    (tree.root / "pkg/kept.py").unlink()
    (tree.root / "pkg/stream.py").rename(tree.root / "pkg/stroem.py")
    assert analyse(tree, BOOK, cache=cache) == analyse(tree, BOOK)
    first = parsed[: len(parsed) // 2]
    assert {text for text in first if "torch" in text} >= {
        "import torch\ntorch.cuda.synchronize()\n",
        FILES["pkg/stream.py"],
    }
    assert FILES["pkg/kept.py"] not in first


CHANGES: dict[str, Callable[[], bytes]] = {
    "select": lambda: context_of(BOOK, Options(select=("HPU3",)), ()),
    "file_ignores": lambda: context_of(BOOK, Options(file_ignores={"a": ("HPU3",)}), ()),
    "within": lambda: context_of(BOOK, Options(within="src/"), ()),
    "routes": lambda: context_of(BOOK, Options(routes={"a": "b"}), ()),
    "implemented": lambda: context_of(BOOK, Options(implemented=frozenset({"a", "b"})), ()),
    "cuda_only": lambda: context_of(BOOK, Options(cuda_only=("a/*",)), ()),
    "add_imports": lambda: context_of(BOOK, Options(add_imports=False), ()),
    "native": lambda: context_of(BOOK, Options(), ("a.b",)),
    "rules": lambda: context_of(Rulebook(list(BOOK)[1:], BOOK.api), Options(), ()),
    "a note": lambda: context_of(
        Rulebook([replace(rule, note=f"{rule.note} ") for rule in BOOK], BOOK.api), Options(), ()
    ),
    "API table": lambda: context_of(
        Rulebook(BOOK, replace(BOOK.api, lazy_only=frozenset())), Options(), ()
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_the_key_covers(what: str) -> None:
    plain = context_of(BOOK, Options(), ())
    assert context_of(Rulebook(BOOK, BOOK.api), Options(), ()) == plain
    assert CHANGES[what]() != plain
    assert CHANGES[what]() == CHANGES[what]()


@pytest.mark.parametrize("what", ["__version__", "_LIBRARIES", "_PROGRAM"])
def test_the_key_covers_porter_itself(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = context_of(BOOK, Options(), ())
    changed = {"__version__": "99", "_LIBRARIES": ("click",), "_PROGRAM": ("scan",)}
    monkeypatch.setattr(cache_module, what, changed[what])
    cache_module._program.cache_clear()
    assert context_of(BOOK, Options(), ()) != plain
    monkeypatch.undo()
    cache_module._program.cache_clear()
    assert context_of(BOOK, Options(), ()) == plain


def test_the_key_is_that_of_another_process() -> None:
    """Sets and dictionaries are not in the order of their hashes."""
    code = (
        "from porter.codemods.cache import *; from porter.rulebook import default_rulebook\n"
        "o = Options(implemented=frozenset('abcdefgh'), routes={'b': 'c', 'a': 'd'})\n"
        "print(key_of(context_of(default_rulebook(), o, frozenset('xyz')), 'é.py', '0').hex())"
    )
    keys = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(keys) == 1


def test_what_a_compiled_module_beside_it_means(tree: SourceTree, cache: FindingsCache) -> None:
    (tree.root / "pkg/use.py").write_text("import pkg.ops\npkg.ops.run()\n")
    analyse(tree, BOOK, cache=cache)
    (tree.root / "setup.py").write_text("CUDAExtension('pkg.ops', [])\n")
    result = analyse(tree, BOOK, cache=cache)
    assert "HPU500" in {finding.rule for finding in result.findings()}
    assert result == analyse(tree, BOOK)


def test_a_file_that_python_refuses_is_looked_at_again(
    tree: SourceTree, cache: FindingsCache, parsed: list[str]
) -> None:
    """A limit of the interpreter may be the cause, and that is no part of the key."""
    (tree.root / "pkg/broken.py").write_text("torch.cuda.(\n")
    for _ in range(2):
        parsed.clear()
        analyse(tree, BOOK, cache=cache)
        assert "torch.cuda.(\n" in parsed


def everything() -> FileResult:
    """A result with something in every field."""
    text = "import torch\nx.cuda()\ntorch.cuda.memory_snapshot()\nf('\\ud800')\n"
    result = analyse_text("m.py", text, BOOK)
    finding: Finding = result.findings[0]
    return replace(
        result,
        digest="0" * 64,
        ignored=(Ignored(replace(finding, path="\udcff.py"), IgnoredBy.BASELINE, "é𝄞"),),
    )


def test_a_result_comes_back_as_it_was(cache: FindingsCache) -> None:
    result = everything()
    assert result.edits and result.findings[0].edits and result.findings[0].after
    cache.store({b"1": result})
    assert cache.load([b"1", b"2"]) == {b"1": result}


def file_of(cache: FindingsCache) -> Path:
    return cache._folder / "findings.sqlite"


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "text", "foreign", "nothing"])
def test_damage_is_a_miss(tree: SourceTree, cache: FindingsCache, damage: str) -> None:
    expected = analyse(tree, BOOK, cache=cache)
    file = file_of(cache)
    data = file.read_bytes()
    place = data.index(b"current_stream")
    if damage == "foreign":
        file.unlink()
        with sqlite3.connect(file) as other:
            other.execute("CREATE TABLE entry (something TEXT)")
        other.close()
    else:
        file.write_bytes(
            {
                "flip": data[:place] + b"C" + data[place + 1 :],
                "cut": data[: len(data) // 2],
                "empty": b"",
                "text": b"no database\n" * 1000,
                "nothing": data,
            }[damage]
        )
    for _ in range(3):
        assert analyse(tree, BOOK, cache=cache) == expected


def test_after_damage_it_is_of_use_again(
    tree: SourceTree, cache: FindingsCache, parsed: list[str]
) -> None:
    file_of(cache).parent.mkdir()
    file_of(cache).write_bytes(b"no database\n" * 1000)
    for _ in range(2):
        analyse(tree, BOOK, cache=cache)
    parsed.clear()
    analyse(tree, BOOK, cache=cache)
    assert parsed == []


def test_a_folder_that_cannot_be_made(tree: SourceTree, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cache = FindingsCache(tmp_path / "file" / "cache")
    assert analyse(tree, BOOK, cache=cache) == analyse(tree, BOOK)


def test_a_cache_that_another_process_holds(
    tree: SourceTree, cache: FindingsCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, "_PATIENCE", 0.05)
    expected = analyse(tree, BOOK, cache=cache)
    (tree.root / "pkg/clean.py").write_text("x.cuda()\n")
    holder = sqlite3.connect(file_of(cache), isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    begun = time.monotonic()
    assert len(analyse(tree, BOOK, cache=cache).files) == len(expected.files) + 1
    assert time.monotonic() - begun < 60
    holder.close()
    assert file_of(cache).is_file()


def test_runs_at_once(tree: SourceTree, cache: FindingsCache) -> None:
    for number in range(40):
        (tree.root / f"pkg/m{number}.py").write_text(f"import torch\ntorch.cuda.f{number}()\n")
    code = (
        "import sys; from pathlib import Path; from porter.codemods.cache import FindingsCache\n"
        "from porter.codemods.engine import analyse; from porter.rulebook import default_rulebook\n"
        "from porter.sources.tree import Kind, SourceTree\n"
        "tree = SourceTree(Path(sys.argv[1]), Kind.FOLDER, 'src')\n"
        "cache = FindingsCache(Path(sys.argv[2]))\n"
        "for _ in range(5):\n"
        "    print(len([*analyse(tree, default_rulebook(), cache=cache).findings()]))"
    )
    arguments = [sys.executable, "-c", code, str(tree.root), str(cache._folder)]
    runs = [subprocess.Popen(arguments, stdout=subprocess.PIPE) for _ in range(3)]
    found = {line for run in runs for line in run.communicate()[0].split()}
    assert {run.returncode for run in runs} == {0}
    assert found == {str(len(list(analyse(tree, BOOK).findings()))).encode()}
    assert len(cache.load(keys_of(tree))) == len(FILES) + 40


def keys_of(tree: SourceTree) -> list[bytes]:
    context = context_of(BOOK, Options(), ())
    return [key_of(context, path, sha256(tree.read(path)).hexdigest()) for path in tree.files()]


def test_it_does_not_grow_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = FindingsCache(tmp_path, limit=200_000)
    result = everything()
    day = 20_000
    monkeypatch.setattr(cache_module, "_today", lambda: day)
    used = {b"kept": result}
    cache.store(used)
    for day in range(20_001, 20_010):
        assert cache.load([b"kept"]) == used
        cache.store({f"{day}-{number}".encode(): result for number in range(40)})
        assert file_of(cache).stat().st_size < 400_000
    assert not cache.load([b"20001-0"])
    assert len(cache.load([f"20009-{number}".encode() for number in range(40)])) == 40
    FindingsCache(tmp_path, limit=10_000).store({b"more": result})
    assert file_of(cache).stat().st_size <= 20_000


def test_sources_and_labels_are_those_of_the_run(tree: SourceTree, cache: FindingsCache) -> None:
    analyse(tree, BOOK, cache=cache)
    other: Result = analyse(replace(tree, label="other"), BOOK, cache=cache)
    assert other.sources == ("other",)
