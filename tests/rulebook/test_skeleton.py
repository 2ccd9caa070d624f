from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from porter.errors import PorterError
from porter.rulebook import Rulebook, default_rulebook
from porter.rulebook.skeleton import free_id, skeleton


def book_with(*ids: str) -> Rulebook:
    rule = replace(next(iter(default_rulebook())), match=())
    return Rulebook([replace(rule, id=identifier) for identifier in ids], default_rulebook().api)


@pytest.mark.parametrize(
    ("taken", "family", "free"),
    [
        ((), "HPU9", "HPU900"),
        ((), "HPU0", "HPU000"),
        (("HPU300", "HPU307", "HPU402"), "HPU3", "HPU308"),
        (("HPU900", "HPU998"), "HPU9", "HPU999"),
    ],
)
def test_the_id_after_the_last(taken: tuple[str, ...], family: str, free: str) -> None:
    assert free_id(book_with(*taken), family) == free


@pytest.mark.parametrize("last", ["HPU399", "HPU999"])
def test_a_family_that_is_full(last: str) -> None:
    with pytest.raises(PorterError, match="another family"):
        free_id(book_with(last), last[:4])


@pytest.mark.parametrize("match", ["torch.cuda.x", "torch.cuda.x.*", "environment:NCCL_X"])
def test_what_is_written_loads(tmp_path: Path, match: str) -> None:
    identifier, text = skeleton(default_rulebook(), match, "HPU9")
    (tmp_path / "own.toml").write_text(text)
    (tmp_path / "api").symlink_to(Path(__file__).resolve().parents[2] / "rules" / "api")
    assert Rulebook.load(tmp_path)[identifier].match == (match,)
