"""A mixture of experts: each token goes through those that the router picked for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch.nn import functional

from ._library import op

_ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "gelu": functional.gelu,
    "relu": functional.relu,
    "silu": functional.silu,
}


@op(
    "mixture_of_experts(Tensor hidden_states, Tensor expert_routing_table, "
    "Tensor router_weights, Tensor[] w1, Tensor[] w2, Tensor[] w3, bool permuted_weights, "
    "str activation, int experts_min, int experts_max) -> Tensor"
)
def mixture_of_experts(
    hidden_states: torch.Tensor,
    expert_routing_table: torch.Tensor,
    router_weights: torch.Tensor,
    w1: Sequence[torch.Tensor],
    w2: Sequence[torch.Tensor],
    w3: Sequence[torch.Tensor],
    permuted_weights: bool,
    activation: str,
    experts_min: int,
    experts_max: int,
) -> torch.Tensor:
    """hidden_states: [tokens, hidden]; expert_routing_table, router_weights: [tokens, picked].

    An expert is ``(activation(x @ w1) * (x @ w2)) @ w3``; with permuted_weights they are all
    transposed. The lists hold the experts from experts_min to experts_max; others add nothing.
    """
    act = _ACTIVATIONS[activation]
    result = torch.zeros_like(hidden_states)
    for number in range(experts_min, experts_max + 1):
        gate, up, down = (
            weights[number - experts_min].mT if permuted_weights else weights[number - experts_min]
            for weights in (w1, w2, w3)
        )
        # Nought for a token that does not go here: no shape depends on the routing.
        share = torch.where(expert_routing_table == number, router_weights, 0).sum(-1, keepdim=True)
        out = (act(hidden_states @ gate) * (hidden_states @ up)) @ down
        result = result + torch.where(share != 0, out * share, 0).to(result.dtype)
    return result


@op(
    "mixture_of_experts.fused_weights(Tensor hidden_states, Tensor expert_routing_table, "
    "Tensor router_weights, Tensor[] w12, Tensor[] w3, bool permuted_weights, str activation, "
    "int experts_min, int experts_max) -> Tensor"
)
def fused_weights(
    hidden_states: torch.Tensor,
    expert_routing_table: torch.Tensor,
    router_weights: torch.Tensor,
    w12: Sequence[torch.Tensor],
    w3: Sequence[torch.Tensor],
    permuted_weights: bool,
    activation: str,
    experts_min: int,
    experts_max: int,
) -> torch.Tensor:
    """The same, with w1 and w2 one after the other in one tensor."""
    halves = [both.chunk(2, 0 if permuted_weights else 1) for both in w12]
    return mixture_of_experts(
        hidden_states,
        expert_routing_table,
        router_weights,
        [w1 for w1, _ in halves],
        [w2 for _, w2 in halves],
        w3,
        permuted_weights,
        activation,
        experts_min,
        experts_max,
    )
