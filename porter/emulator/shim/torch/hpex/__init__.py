"""Fused kernels, by what they compute: the op by op formula, with PyTorch's own rounding."""

from . import kernels, normalization
