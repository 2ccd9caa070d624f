"""What LMCache keeps of a sequence, how long moving it takes, and how much room it needs."""

from __future__ import annotations

from dataclasses import dataclass

from porter.plan.cache import token_bytes
from porter.plan.cards import GIB, Card
from porter.plan.shape import Shape

#: Tokens: LMCache's default, and two blocks of the KV cache, so that whole blocks are moved.
CHUNK = 256


@dataclass(frozen=True)
class Transfer:
    """All of ``workers`` together, but ``local_cpu_gib``, which is LMCache's setting for each.

    ``token`` and ``sequence`` are bytes; a sequence is stored in whole chunks of ``CHUNK``.
    ``seconds`` is for a sequence, out or back, at ``speed`` bytes a second. It is arithmetic:
    no transfer reaches a link's speed.
    """

    workers: int
    token: int
    sequence: int
    speed: float
    local_cpu_gib: int

    @property
    def seconds(self) -> float:
        return self.sequence / self.speed

    @property
    def chunk(self) -> int:
        return CHUNK * self.token


def transfer_of(
    shape: Shape, card: Card, *, context: int, concurrency: int, number: int, tp: int, speed: float
) -> Transfer | None:
    """``speed`` is that of the store; the cards' own links may be slower. None: not possible.

    KV heads that several cards have are stored by each of them. The latent vectors of MLA,
    which are the same everywhere, only the first worker stores.
    """
    if shape.states or not shape.attention:
        return None
    storing = 1 if shape.latent else tp
    per_worker = token_bytes(shape, number, tp)
    tokens = context // CHUNK * CHUNK
    return Transfer(
        workers=storing,
        token=per_worker * storing,
        sequence=tokens * per_worker * storing,
        speed=min(speed, storing * card.host),
        local_cpu_gib=max(1, -(-tokens * per_worker * concurrency // GIB)),
    )
