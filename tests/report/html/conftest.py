"""Review pages of small sources, and the browser that opens them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from porter.cli import main

ROOT = Path(__file__).resolve().parent.parent.parent.parent
SAMPLE = ROOT / "docs" / "sample"

Review = Callable[..., Path]

#: Chromium starts without what a test has no use for, and asks nobody for anything.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def review() -> Review:
    """Run ``porter review`` on a source; where the page went."""

    def run(source: Path, page: Path, *arguments: object) -> Path:
        result = CliRunner().invoke(
            main, ["review", str(source), "-o", str(page), *map(str, arguments)]
        )
        assert result.exit_code in (0, 1), result.output
        return page

    return run


@pytest.fixture(scope="session")
def sample_page(review: Review, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of ``docs/sample``, which stands in the file's folder ``sample`` beside it."""
    folder = tmp_path_factory.mktemp("sample")
    shutil.copytree(SAMPLE, folder / "sample")
    return review(folder / "sample", folder / "review.html")


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[object]:
    """One Chromium for all tests; each opens a context of its own."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  (only these tests need it)

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS])
        yield running
        running.close()
