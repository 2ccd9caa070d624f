"""emulator/watch: who asks for CUDA, and what becomes of the question."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")


@pytest.mark.parametrize(
    ("folder", "found"),
    [
        ("site-packages", "reports 0 notes 1"),
        ("dist-packages", "reports 0 notes 1"),
        ("packages", "reports 1 notes 0"),
    ],
)
def test_a_question_of_an_installed_package_is_a_note(
    run, tmp_path: Path, folder: str, found: str
) -> None:
    """Wherever packages are installed: an environment may be laid over others."""
    package = tmp_path / folder / "asks.py"
    package.parent.mkdir()
    package.write_text("import torch\nthere = torch.cuda.is_available()\n")
    done = run(
        f"""
        import sys
        sys.path.insert(0, {str(package.parent)!r})
        import asks
        from porter.emulator import notes, reports
        print("reports", len(reports()), "notes", len(notes()))
        """
    )
    assert done.out.strip() == found, done.err
