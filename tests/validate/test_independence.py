"""The rung judges the rewriter, so it may share nothing with it but the result model."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import porter.validate

PACKAGE = Path(porter.validate.__file__).parent
ALLOWED = {
    "porter.emulator",
    "porter.errors",
    "porter.findings",
    "porter.resources",
    "porter.sources",
    "porter.parallel",
    "porter.progress",
    "porter.toml",
    "porter.validate",
    "porter.wording",
}


def imported(source: str) -> set[str]:
    """The packages of porter that a module imports, wherever the statement stands."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "an absolute import says where it leads"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {".".join(name.split(".")[:2]) for name in names if name.split(".")[0] == "porter"}


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.name)
def test_imports_nothing_of_the_rewriter(path: Path) -> None:
    assert imported(path.read_text(encoding="utf-8")) <= ALLOWED


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.name)
def test_imports_nothing_by_name(path: Path) -> None:
    """``import_module("porter.scan")`` would slip through the reading of statements.

    Four modules do it by trade: what they import is the package that is validated, or its caller.
    """
    if path.name in ("importer.py", "reflector.py", "runner.py", "stand_in.py"):
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    called = {
        node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
    }
    assert not called & {"import_module", "__import__"}


@pytest.mark.parametrize(
    "source",
    [
        "from porter.scan.scanner import scan",
        "import porter.codemods.engine",
        "from porter import rulebook",
        "def late():\n    from porter.rulebook import Rulebook",
    ],
)
def test_sees_a_forbidden_import(source: str) -> None:
    assert not imported(source) <= ALLOWED
