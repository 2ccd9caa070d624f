from __future__ import annotations

import pytest

from porter.plan.cards import GIB, NAMES, find_card


@pytest.mark.parametrize(("name", "nominal"), [("gaudi2", 96), ("gaudi3", 128)])
def test_a_process_has_a_little_less_than_the_card(name, nominal):
    card = find_card(name)
    assert card.nominal == nominal * GIB
    assert 0.98 < card.visible / card.nominal < 1


def test_every_name_is_a_card():
    assert [find_card(name).name for name in NAMES] == list(NAMES)
