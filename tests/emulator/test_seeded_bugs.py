"""Small programs with a fault each, and the same programs without it.

A folder in ``bugs/`` is named after a rule of the sanitizer. Every class in its files is a pair:
``bug`` must be reported under that rule at the line marked ``# here``, ``twin`` must not be
reported at all. A class may say how the emulator is set (``asynchrony``), that the mode is not
lazy (``lazy = False``), and that ``bug`` ends in an exception (``raises``).
"""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from porter.emulator.sanitizer import RULES

BUGS = Path(__file__).with_name("bugs")
NO_FAULT = {"cpu-fallback"}
PROGRAM = """
import json, runpy, signal
from porter.emulator import Settings, configure, notes, reports

signal.alarm(60)
pair = runpy.run_path({path!r})[{name!r}]()
configure(Settings(asynchrony=getattr(pair, "asynchrony", "all")))
if {version!r} == "bug" and (expected := getattr(pair, "raises", None)):
    try:
        pair.bug()
    except expected:
        pass
    else:
        raise SystemExit("bug raised nothing")
else:
    pair.{version}()
torch.hpu.synchronize()
print(json.dumps([[found.rule, found.file, found.line] for found in [*reports(), *notes()]]))
"""


@dataclass(frozen=True)
class Pair:
    path: Path
    name: str
    here: int
    lazy: bool

    @property
    def rule(self) -> str:
        return self.path.parent.name

    def __str__(self) -> str:
        return f"{self.rule}/{self.name}"

    def run(self, run, version: str) -> list[tuple[str, str, int]]:
        program = PROGRAM.format(path=str(self.path), name=self.name, version=version)
        done = run(program, lazy=self.lazy)
        assert done.code == 0, done.err
        return [tuple(found) for found in json.loads(done.out.splitlines()[-1])]


def pairs_in(path: Path) -> list[Pair]:
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    pairs = []
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef):
            span = range(node.lineno, (node.end_lineno or 0) + 1)
            (here,) = (line for line in span if lines[line - 1].endswith("# here"))
            eager = "lazy = False" in map(ast.unparse, node.body)
            pairs.append(Pair(path, node.name, here, not eager))
    return pairs


PAIRS = [pair for path in sorted(BUGS.rglob("*.py")) for pair in pairs_in(path)]


def test_every_rule_has_a_bug():
    assert {pair.rule for pair in PAIRS} == RULES.keys() - NO_FAULT


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_the_bug_is_reported_at_its_line_and_nothing_else_is(run, pair):
    assert pair.run(run, "bug") == [(pair.rule, str(pair.path), pair.here)]


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_the_twin_is_silent(run, pair):
    assert pair.run(run, "twin") == []


READ_UNSEEN = """
import ctypes
import torch

host = torch.zeros(2, pin_memory=True)
array, address = host.numpy(), host.data_ptr()
host.copy_(torch.ones(2, device="hpu"), non_blocking=True)
print(array, list((ctypes.c_float * 2).from_address(address)))
torch.hpu.synchronize()
print(array, list((ctypes.c_float * 2).from_address(address)))
"""


def test_who_reads_unseen_reads_rubbish(run):
    """No rule sees numpy or ctypes read memory that they were given before the copy."""
    assert run(READ_UNSEEN).out.splitlines() == ["[nan nan] [nan, nan]", "[1. 1.] [1.0, 1.0]"]
