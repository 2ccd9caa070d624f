"""Casts to and from 8 bit floats, and the product of matrices of them.

A value beyond the range becomes the largest one, as on Gaudi3: 448 for float8_e4m3fn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import torch

from ._library import op

Scale: TypeAlias = torch.Tensor | float | Sequence[float] | None
_FLOAT8 = (torch.float8_e4m3fn, torch.float8_e5m2)


@op(
    "cast_to_fp8_v2(Tensor input, Tensor? scale=None, bool stochastic_rounding=False, "
    "bool is_amax=False, ScalarType? dtype=None, int[]? scale_shape=None) -> (Tensor, Tensor)"
)
@op(
    "cast_to_fp8_v2.scalar(Tensor input, float scale, bool stochastic_rounding=False, "
    "bool is_amax=False, ScalarType? dtype=None, int[]? scale_shape=None) -> (Tensor, Tensor)"
)
@op(
    "cast_to_fp8_v2.scalar_list(Tensor input, float[] scale, bool stochastic_rounding=False, "
    "bool is_amax=False, ScalarType? dtype=None, int[]? scale_shape=None) -> (Tensor, Tensor)"
)
def cast_to_fp8_v2(
    input: torch.Tensor,
    scale: Scale = None,
    stochastic_rounding: bool = False,
    is_amax: bool = False,
    dtype: torch.dtype | None = None,
    scale_shape: Sequence[int] | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """``input * scale`` in 8 bits, and the largest ``abs(input)``: a number, or nothing at all."""
    if stochastic_rounding:
        raise NotImplementedError("the emulator rounds to the nearest only")
    if dtype not in _FLOAT8:
        raise RuntimeError(f"cast_to_fp8_v2: dtype must be an 8 bit float, not {dtype}")
    if input.dtype in _FLOAT8 and (is_amax or input.dtype != dtype):
        raise RuntimeError(
            f"cast_to_fp8_v2: an input of {input.dtype} stays {input.dtype}, without amax"
        )
    wide = input.float() if input.dtype in _FLOAT8 else input
    limit = torch.finfo(dtype).max
    result = _scaled(wide, scale, scale_shape).clamp(-limit, limit).to(dtype)
    amax = input.abs().amax().float() if is_amax else input.new_empty(0, dtype=torch.float32)
    return result, amax


@op(
    "cast_from_fp8(Tensor input, Tensor? scale, ScalarType out_dtype, int[]? scale_shape=None) "
    "-> Tensor"
)
@op(
    "cast_from_fp8.scalar(Tensor input, float scale, ScalarType out_dtype, "
    "int[]? scale_shape=None) -> Tensor"
)
@op(
    "cast_from_fp8.scalar_list(Tensor input, float[] scale, ScalarType out_dtype, "
    "int[]? scale_shape=None) -> Tensor"
)
def cast_from_fp8(
    input: torch.Tensor,
    scale: Scale,
    out_dtype: torch.dtype,
    scale_shape: Sequence[int] | None = None,
) -> torch.Tensor:
    """``input * scale`` in ``out_dtype``."""
    return _scaled(input.to(out_dtype), scale, scale_shape)


@op(
    "fp8_gemm_v2(Tensor A, bool trans_A, Tensor B, bool trans_B, Tensor? D, ScalarType out_dtype, "
    "Tensor? A_scale_inv=None, Tensor? B_scale_inv=None, Tensor? bias=None, "
    "bool accumulate=False, int[]? B_scale_shape=None) -> Tensor"
)
@op(
    "fp8_gemm_v2.scalar(Tensor A, bool trans_A, Tensor B, bool trans_B, Tensor? D, "
    "ScalarType out_dtype, float A_scale_inv, float B_scale_inv, Tensor? bias=None, "
    "bool accumulate=False, int[]? B_scale_shape=None) -> Tensor"
)
@op(
    "fp8_gemm_v2.scalar_list(Tensor A, bool trans_A, Tensor B, bool trans_B, Tensor? D, "
    "ScalarType out_dtype, float[] A_scale_inv, float[] B_scale_inv, Tensor? bias=None, "
    "bool accumulate=False, int[]? B_scale_shape=None) -> Tensor"
)
def fp8_gemm_v2(
    A: torch.Tensor,
    trans_A: bool,
    B: torch.Tensor,
    trans_B: bool,
    D: torch.Tensor | None,
    out_dtype: torch.dtype,
    A_scale_inv: Scale = None,
    B_scale_inv: Scale = None,
    bias: torch.Tensor | None = None,
    accumulate: bool = False,
    B_scale_shape: Sequence[int] | None = None,
) -> torch.Tensor:
    """``A @ B`` times both scales, plus ``bias``, plus ``D`` where it accumulates."""
    left, right = (
        tensor.float().mT if transposed else tensor.float()
        for tensor, transposed in ((A, trans_A), (B, trans_B))
    )
    product = _scaled(_scaled(left @ right, A_scale_inv, None), B_scale_inv, B_scale_shape)
    if bias is not None:
        product = product + bias
    if accumulate:
        if D is None:
            raise RuntimeError("fp8_gemm_v2: accumulate needs D")
        product = product + D
    return product.to(out_dtype)


def _scaled(tensor: torch.Tensor, scale: Scale, shape: Sequence[int] | None) -> torch.Tensor:
    if scale is None:
        return tensor
    if isinstance(scale, float):
        return tensor * scale
    factors = torch.as_tensor(scale, dtype=tensor.dtype, device=tensor.device)
    return tensor * (factors if shape is None or factors.numel() == 1 else factors.reshape(shape))
