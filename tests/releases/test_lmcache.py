"""Real LMCache releases: invariants of every rewrite, none of upstream's text.

The two whole ports of the README, an old and a new release, with one from each era between.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property

import pytest
from packaging.version import Version

from porter.codemods.engine import analyse, analyse_text, backend_folders
from porter.codemods.options import Options
from porter.findings import FileResult, Result, Status, apply_edits
from porter.package.recipe import find_recipe
from porter.rulebook import default_rulebook
from porter.sources.resolve import open_source
from porter.sources.tree import SourceTree, is_python
from porter.validate.counter import count

pytestmark = pytest.mark.network

RELEASES = ["0.3.9.post2", "0.3.14", "0.4.2", "0.4.7", "0.5.6"]
EXTENDED = {"HPU212": "HPU213", "HPU601": "HPU602"}
BOOK = default_rulebook()


@dataclass
class Rewritten:
    """A release, what porter finds in it, and what it finds in its own result."""

    tree: SourceTree
    options: Options

    @cached_property
    def result(self) -> Result:
        return analyse(self.tree, BOOK, self.options)

    @cached_property
    def texts(self) -> dict[str, tuple[str, str]]:
        """Before and after, by path, of the files with a finding."""
        pairs = {}
        for file in self.result.files:
            before = self.tree.read(file.path).decode()
            pairs[file.path] = before, apply_edits(before, file.edits)
        return pairs

    @cached_property
    def edited(self) -> dict[str, tuple[str, str]]:
        """Those of ``texts`` that differ."""
        return {path: pair for path, pair in self.texts.items() if pair[0] != pair[1]}

    @cached_property
    def again(self) -> list[tuple[FileResult, FileResult]]:
        """The findings in a file before and after; they are the same where it was not edited."""
        return [
            (file, analyse_text(file.path, self.edited[file.path][1], BOOK, self.options))
            if file.path in self.edited
            else (file, file)
            for file in self.result.files
        ]


@pytest.fixture(scope="module", params=RELEASES)
def release(request: pytest.FixtureRequest) -> Rewritten:
    tree = open_source(f"lmcache=={request.param}")
    options = find_recipe("lmcache").at(Version(request.param)).options()
    backends = tuple(f"{folder}/*" for folder in backend_folders(tree))
    return Rewritten(tree, replace(options, cuda_only=(*options.cuda_only, *backends)))


def test_every_construct_is_accounted_for(release):
    summary = release.result.summary()
    assert summary.unaccounted == 0
    assert summary.constructs == summary.fixable + summary.reported
    assert summary.fixable > 50
    assert {finding.rule for finding in release.result.findings()}.isdisjoint({"HPU001", "HPU004"})


def test_what_the_independent_counter_sees_in_the_result_is_reported(release):
    """Line by line: a construct that is left lies inside a finding of a second scan."""
    modules = [pair for pair in release.again if is_python(pair[0].path)]
    assert modules
    for before, after in modules:
        lines = {
            line for finding in after.findings for line in range(finding.line, finding.end_line + 1)
        }
        left = [
            construct
            for construct in count(
                release.texts[before.path][1], before.path, release.options.routes
            )
            if construct.line not in lines
        ]
        assert left == [], before.path


def test_a_second_run_changes_nothing_and_reports_the_same(release):
    for before, after in release.again:
        text = release.texts[before.path][1]
        assert apply_edits(text, after.edits) == text
        assert _left(after) == _left(before), before.path


def test_only_files_with_cuda_are_edited(release):
    for file in release.result.files:
        if file.edits:
            text = release.texts[file.path][0]
            assert count(text, file.path, release.options.routes), file.path


def test_comments_and_docstrings_stay(release):
    for path, (before, after) in release.edited.items():
        assert not _comments(before) - _comments(after), path
        assert _docstrings(before) == _docstrings(after), path


def test_lines_without_an_edit_stay(release):
    for file in release.result.files:
        before, after = release.texts[file.path]
        touched = sum(edit.replacement.count("\n") + 2 for edit in file.edits)
        gone = Counter(before.splitlines()) - Counter(after.splitlines())
        assert sum(gone.values()) <= touched + sum(
            before[edit.start : edit.end].count("\n") for edit in file.edits
        )


def test_the_bridge_is_imported_where_it_is_needed(release):
    for path, (before, after) in release.edited.items():
        emits = any(word in after and word not in before for word in ("torch.hpu", '"hpu"'))
        assert not emits or "import habana_frameworks.torch" in after, path
        if after.count("import habana_frameworks") > before.count("import habana_frameworks") + 1:
            assert "\nimport habana_frameworks" not in after, path


def test_no_card_is_chosen_by_index(release):
    for path, (_, after) in release.texts.items():
        assert "hpu:{" not in after, path


def _left(result: FileResult) -> Counter[str]:
    rules: Counter[str] = Counter()
    for finding in result.findings:
        if finding.status is Status.REPORTED:
            rules[finding.rule] += finding.constructs
        elif finding.rule in EXTENDED:
            rules[EXTENDED[finding.rule]] += finding.constructs
    return rules


def _comments(text: str) -> Counter[str]:
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return Counter(token.string for token in tokens if token.type == tokenize.COMMENT)


def _docstrings(text: str) -> list[str]:
    return [
        node.value.value
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    ]
