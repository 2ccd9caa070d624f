"""Weights of four bits, eight in an int32, the lowest bits first."""

from __future__ import annotations

import torch

from ._library import op


@op(
    "convert_from_uint4(Tensor input, Tensor scale, Tensor? zero_point, ScalarType out_dtype, "
    "Tensor? g_idx=None) -> Tensor"
)
def convert_from_uint4(
    input: torch.Tensor,
    scale: torch.Tensor,
    zero_point: torch.Tensor | None,
    out_dtype: torch.dtype,
    g_idx: torch.Tensor | None = None,
) -> torch.Tensor:
    """(weight - zero point) * scale.

    input: [rows, columns / 8]; scale: [groups, columns], a group being as many rows as there are
    for each, or those of that number in g_idx: [rows]; zero_point: as scale, or packed (int32).
    """
    return _dequantize(input, scale, zero_point, out_dtype, g_idx, signed=False)


@op(
    "convert_from_int4(Tensor input, Tensor scale, Tensor? zero_point, ScalarType out_dtype) "
    "-> Tensor"
)
def convert_from_int4(
    input: torch.Tensor,
    scale: torch.Tensor,
    zero_point: torch.Tensor | None,
    out_dtype: torch.dtype,
) -> torch.Tensor:
    """The same, of numbers from -8 to 7."""
    return _dequantize(input, scale, zero_point, out_dtype, None, signed=True)


def _dequantize(
    input: torch.Tensor,
    scale: torch.Tensor,
    zero_point: torch.Tensor | None,
    out_dtype: torch.dtype,
    g_idx: torch.Tensor | None,
    signed: bool,
) -> torch.Tensor:
    weight = _unpack(input, signed).to(out_dtype)
    if zero_point is not None:
        packed = zero_point.dtype == torch.int32
        zeros = _unpack(zero_point, signed) if packed else zero_point
        weight = weight - _by_row(zeros.to(out_dtype), weight, g_idx)
    return weight * _by_row(scale.to(out_dtype), weight, g_idx)


def _unpack(packed: torch.Tensor, signed: bool) -> torch.Tensor:
    shifts = torch.arange(0, 32, 4, dtype=torch.int32, device=packed.device)
    numbers = (packed.unsqueeze(-1) >> shifts & 15).flatten(-2)
    return torch.where(numbers > 7, numbers - 16, numbers) if signed else numbers


def _by_row(groups: torch.Tensor, weight: torch.Tensor, g_idx: torch.Tensor | None) -> torch.Tensor:
    if g_idx is not None:
        return groups[g_idx.long()]
    if groups.dim() == weight.dim() and groups.shape[0] not in (1, weight.shape[0]):
        return groups.repeat_interleave(weight.shape[0] // groups.shape[0], 0)
    return groups
