from __future__ import annotations

import pytest
from rich.console import Console

from porter.plan import text
from porter.plan.config import known_models
from porter.plan.matrix import matrix


def printed(table) -> list[str]:
    console = Console(width=200, color_system=None)
    with console.capture() as captured:
        console.print(table)
    return [line.rstrip() for line in captured.get().splitlines()]


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (160 * 2**30, "160.0 GiB"),
        (2**41, "2.0 TiB"),
    ],
)
def test_sizes(count, shown):
    assert text.size(count) == shown


@pytest.mark.parametrize("name", [model.name for model in known_models()])
def test_tables_are_80_columns_at_most(plan, name):
    of = plan(name, 131_072, 4)
    for table in (text.needs(of), text.fits(of), text.context_matrix(of, matrix(of))):
        assert max(map(len, printed(table))) <= text.WIDTH


def test_needs_show_both_ways_to_keep_a_window(plan):
    lines = "\n".join(printed(text.needs(plan("gemma-3-27b-it", 131_072))))
    assert "sliding window" in lines
    assert "as the plugin keeps it" in lines
    assert "as the plugin keeps it" not in "\n".join(
        printed(text.needs(plan("Llama-3.1-8B", 4096)))
    )


def test_verdicts(plan):
    assert "fits on 4 cards" in text.verdict(plan("Llama-3.1-70B", 131_072, 4)).plain
    assert "does not fit on 1 card." in text.verdict(plan("Llama-3.1-70B", 4096, cards=1)).plain
    assert "cannot be spread" in text.verdict(plan("falcon-7b", 2048, cards=2)).plain


def test_the_lines_to_start_with(plan):
    lines = list(text.start(plan("Llama-3.1-8B", 4096)))
    assert "export PT_HPU_LAZY_MODE=0" in lines
    assert "block-size: 128" in lines


def test_lmcache(plan):
    lines = "\n".join(text.lmcache(plan("Llama-3.1-70B", 131_072, 4).transfer))
    assert "chunk_size: 256" in lines
    assert "2.68 s to store or to load at 16.0 GB/s" in lines


def test_notes_are_80_columns_at_most(plan):
    lines = list(text.notes(plan("gemma-3-27b-it", 262_144, cards=16)))
    assert len(lines) > len(plan("gemma-3-27b-it", 262_144, cards=16).notes) > 1
    assert max(map(len, lines)) <= text.WIDTH
