"""How many bits a weight takes, by the quantization that config.json or the user names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from porter.plan.layers import Count
from porter.plan.shape import Shape
from porter.table import Table

#: Bytes of a weight that is not quantized. The plugin turns fp16 and fp32 into bf16.
PLAIN = 2
#: What vllm-gaudi takes (``supported_quantization`` of its platform).
SUPPORTED = ("compressed-tensors", "fp8", "inc", "awq", "gptq", "modelopt", "mxfp4")


@dataclass(frozen=True)
class Quantization:
    """``bits`` a weight of a linear layer with its scales; ``experts`` alone, or all of them."""

    name: str = "none"
    bits: float = 8.0 * PLAIN
    experts_only: bool = False

    @property
    def supported(self) -> bool:
        return self.name in ("none", *SUPPORTED)

    def bytes(self, count: Count) -> int:
        """Bytes of ``count``: a part of a byte counts as one."""
        linear = 8.0 * PLAIN if self.experts_only else self.bits
        bits = count.experts * self.bits + count.linear * linear + count.plain * 8 * PLAIN
        return -int(-bits // 8)


NONE = Quantization()
#: A scale a tensor or a channel: too little to count.
FP8 = Quantization("fp8", 8.0)


def quantization_of(shape: Shape) -> Quantization:
    """What config.json says. Raises PorterError where it is incomplete."""
    if not shape.table.has("quantization_config"):
        return NONE
    config = shape.table.table("quantization_config")
    method = config.text("quant_method")
    if method == "mxfp4":
        # Blocks of 32 numbers of 4 bits share a scale of 8.
        return Quantization(method, 4 + 8 / 32, experts_only=True)
    if method in ("awq", "gptq"):
        bits = config.number("bits" if config.has("bits") else "w_bit")
        size = "group_size" if config.has("group_size") else "q_group_size"
        return Quantization(method, bits + _grouped(config.number(size), bits))
    if method == "compressed-tensors":
        return Quantization(method, _compressed(config))
    if method in ("fp8", "fbgemm_fp8"):
        return Quantization("fp8" if method == "fp8" else method, 8 + _blocked(config))
    if method in ("modelopt", "inc"):
        return Quantization(method, 8.0)
    return Quantization(method, 8.0 * PLAIN)


def _grouped(size: int, bits: int) -> float:
    """Bits of a scale of two bytes and a zero point of ``bits``, a weight of the group."""
    return (16 + bits) / size if size > 0 else 0.0


def _blocked(config: Table) -> float:
    """Bits of a scale of four bytes a block, a weight of it."""
    if not config.has("weight_block_size"):
        return 0.0
    rows, columns = (*config.numbers_of("weight_block_size"), 1, 1)[:2]
    if rows < 1 or columns < 1:
        raise config.error("weight_block_size must be above zero")
    return 32 / (rows * columns)


def _compressed(config: Table) -> float:
    """Of the first group, since a checkpoint has one in all but name."""
    for group in config.table("config_groups").tables().values():
        weights: Mapping[str, Any] = group.table("weights").free()
        bits = weights.get("num_bits")
        if not isinstance(bits, int) or bits < 1:
            raise group.error("weights: add num_bits")
        size = weights.get("group_size")
        return bits + (16 / size if isinstance(size, int) and size > 0 else 0.0)
    raise config.error("config_groups has no group")
