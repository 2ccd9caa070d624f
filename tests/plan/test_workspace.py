from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from porter.plan.config import find_model
from porter.plan.layers import Latent
from porter.plan.shape import shape_of
from porter.plan.workspace import Load, workspace_bytes

LLAMA = shape_of(find_model("Llama-3.1-8B"))
LOADS = st.builds(
    Load,
    context=st.integers(1, 2**18),
    concurrency=st.integers(1, 512),
    step=st.integers(1, 2**16),
)


def test_by_hand():
    # Prefill: stream, MLP, mask, one layer's keys and values. Then the logits.
    step, context = 8192, 131_072
    expected = step * (3 * 4096 + 3 * 14_336) * 2 + step * context * 4 + context * 4096
    expected += 4 * 128_256 * 10
    assert workspace_bytes(LLAMA, Load(context, 4, step), 1) == expected


@given(load=LOADS, more=st.integers(1, 4))
def test_more_to_do_never_takes_less(load, more):
    least = workspace_bytes(LLAMA, load, 1)
    for larger in (
        Load(load.context * more, load.concurrency, load.step),
        Load(load.context, load.concurrency * more, load.step),
        Load(load.context, load.concurrency, load.step * more),
    ):
        assert workspace_bytes(LLAMA, larger, 1) >= least


@given(load=LOADS)
def test_more_cards_never_take_more_each(load):
    assert workspace_bytes(LLAMA, load, 8) <= workspace_bytes(LLAMA, load, 1)


def test_mla_keeps_its_projections_twice():
    deepseek = shape_of(find_model("DeepSeek-V3"))
    twice = sum(m.unfolded(1) for m in deepseek.mixers if isinstance(m, Latent)) * 2
    assert twice == 61 * 512 * 128 * 256 * 2
    assert workspace_bytes(deepseek, Load(128, 1, 128), 1) > twice
