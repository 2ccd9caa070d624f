"""A real release with every other hunk refused: the rest goes in as it was, and no more."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import replace

import pytest
from packaging.version import Version

from porter.codemods.engine import analyse, analyse_text, native_modules
from porter.codemods.options import Options
from porter.findings import FileResult, Finding, apply_edits
from porter.package.recipe import find_recipe
from porter.rulebook import default_rulebook
from porter.selection import Choice, Decided, Rest, Selection
from porter.sources.resolve import open_source
from porter.sources.tree import SourceTree
from porter.table import Table

pytestmark = pytest.mark.network

RELEASE = "0.3.9.post2"
BOOK = default_rulebook()


@pytest.fixture(scope="module")
def tree() -> SourceTree:
    return open_source(f"lmcache=={RELEASE}")


@pytest.fixture(scope="module", params=["as it is", "by its recipe"])
def options(request: pytest.FixtureRequest) -> Options:
    plain = Options(hunks=True)
    if request.param == "as it is":
        return plain
    return replace(find_recipe("lmcache").at(Version(RELEASE)).options(), hunks=True)


def changed(file: FileResult) -> list[Finding]:
    return [finding for finding in file.findings if finding.after is not None]


def test_every_other_hunk(tree: SourceTree, options: Options) -> None:
    native = frozenset(native_modules(tree))
    files = [file for file in analyse(tree, BOOK, options).files if file.edits]
    assert len(files) > 25
    for file in files:
        text = tree.read(file.path).decode()
        ids = list(dict.fromkeys(finding.hunk for finding in changed(file)))
        for refused in (ids[::2], ids[1::2]):
            decisions = {
                hunk: Decided(Choice.REFUSED if hunk in refused else Choice.ACCEPTED)
                for hunk in ids
            }
            chosen = Selection(decisions, Rest.APPLY, Table({}, "options"))
            result = analyse_text(file.path, text, BOOK, replace(options, selection=chosen), native)
            others = [finding for finding in changed(file) if finding.hunk not in refused]
            assert _edits(changed(result)) == _edits(others), file.path
            assert set(result.withheld) == set(refused)

            after = apply_edits(text, result.edits)
            ast.parse(after)
            again = analyse_text(file.path, after, BOOK, options, native)
            left = [finding for finding in changed(file) if finding.hunk in refused]
            assert _rules(changed(again)) == _rules(left), file.path


def _edits(findings: list[Finding]) -> list[object]:
    return [(finding.line, finding.column, finding.rule, finding.edits) for finding in findings]


def _rules(findings: list[Finding]) -> Counter[str]:
    """A neutral name is edited only where something else is CUDA's, and that may be gone."""
    return Counter(finding.rule for finding in findings if not BOOK[finding.rule].neutral)
